import * as z from "zod/mini";
import { policyFile } from "./shape.ts";

/** The JSON Schema (draft 2020-12) of policy files: what `grammar/policy.schema.json` holds and `ctc schema` prints. */
export function policySchemaText(): string {
  const { $schema, ...schema } = z.toJSONSchema(policyFile, { io: "input" });
  return `${JSON.stringify({ $schema, title: "ctc policy", ...schema }, null, 2)}\n`;
}
