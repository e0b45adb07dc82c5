/** As much of JSON Schema as the schema of a policy uses. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

/** Measures which keys, values and kinds of value of a schema some documents use between them. */
export interface SchemaMeter {
  take(document: unknown): void;
  /** What no document uses: `defaults.input = allow`, `policies[].rules as string`, `without nat`. */
  untaken(): readonly string[];
}

export function schemaMeter(root: Schema): SchemaMeter {
  const taken = new Set<string>();
  return {
    take(document) {
      for (const way of waysOf(root, "", document)) taken.add(way);
    },
    untaken: () => [...new Set(waysOf(root, "", ALL))].filter((way) => !taken.has(way)),
  };
}

/** In the place of a document: every way there is. */
const ALL = Symbol("all");

function* waysOf(schema: Schema, path: string, value: unknown): Generator<string> {
  const all = value === ALL;
  const allowed = schema.enum ?? ("const" in schema ? [schema.const] : null);
  const values = schema.type === "boolean" && !allowed ? [true, false] : allowed;
  for (const one of values ?? []) if (all || value === one) yield `${path} = ${one}`;

  for (const branch of schema.anyOf ?? []) {
    if (!all && !isOfKind(branch, value)) continue;
    yield `${path} as ${kindOf(branch)}`;
    yield* waysOf(branch, path, value);
  }

  const entries: readonly [string, unknown][] = all || !isObject(value) ? [] : Object.entries(value);
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const here = path === "" ? key : `${path}.${key}`;
    const written = entries.find(([name]) => name === key);
    const isOptional = !schema.required?.includes(key);
    if (isOptional && (all || (isObject(value) && !written))) yield `without ${here}`;
    if (!all && !written) continue;
    yield here;
    yield* waysOf(inner, here, all ? ALL : written?.[1]);
  }

  if (typeof schema.additionalProperties === "object")
    for (const inner of all ? [ALL] : entries.map(([, each]) => each)) {
      yield `${path}.*`;
      yield* waysOf(schema.additionalProperties, `${path}.*`, inner);
    }

  if (schema.items)
    for (const inner of all ? [ALL] : Array.isArray(value) ? value : [])
      yield* waysOf(schema.items, `${path}[]`, inner);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(schema: Schema): string {
  return "const" in schema ? `${schema.const}` : (schema.type ?? "anything");
}

function isOfKind(schema: Schema, value: unknown): boolean {
  if ("const" in schema) return value === schema.const;
  switch (schema.type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return typeof value === schema.type;
  }
}
