import * as z from "zod/mini";
import { policyFile } from "./shape.ts";

/**
 * The shape of policy files as JSON Schema: what `grammar/policy.schema.json` holds and `ctc schema` prints. In draft 7,
 * which editors and language servers know best.
 */
export function policySchemaText(): string {
  const { $schema, ...schema } = z.toJSONSchema(policyFile, { io: "input", target: "draft-7" });
  return `${JSON.stringify({ $schema, title: "ctc policy", ...schema }, null, 2)}\n`;
}
