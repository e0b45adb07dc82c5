import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Link {
  readonly file: string;
  readonly link: string;
  readonly exists: boolean;
}

/** Every link of the project's pages that leads to a file of the project. */
export function findRelativeLinks(): Link[] {
  const pages = readdirSync(".", { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".md") && !/(^|\/)(node_modules|\.git|coverage)\//.test(path),
  );
  return pages.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, link]) => ({
      file,
      link: link!,
      exists: existsSync(join(dirname(file), link!)),
    })),
  );
}
