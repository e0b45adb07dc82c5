import * as z from "zod/mini";
import { policyFile } from "../../src/language/shape.ts";

/** The shape of a policy file as JSON Schema, for editors. Draft 7 is what the YAML language server knows best. */
export function policySchema(): string {
  const schema = z.toJSONSchema(policyFile, { io: "input", target: "draft-7" });
  return `${JSON.stringify({ $schema: schema.$schema, title: "A ctc policy", ...schema }, null, 2)}\n`;
}
