/**
 * The pages of the checks and the tour of broken policies, as files. Everything in them comes from `src/lint/pages`; what
 * ctc says about each example is what it says today.
 */
import { CHAPTERS, PAGES } from "../src/lint/pages/pages.ts";
import { firstSentence, printIndex } from "../src/lint/pages/print.ts";
import { renderExample, renderPage } from "../src/lint/pages/render.ts";

/** The folders that hold nothing else. */
export const CHECK_FOLDERS = ["docs/checks", "examples/broken"] as const;

/** Every file of these folders, by path. */
export function checkFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>([
    ["docs/checks/README.md", indexPage()],
    ["examples/broken/README.md", tourPage()],
  ]);
  for (const page of PAGES) {
    const { name, example } = page;
    files.set(`docs/checks/${name}.md`, renderPage(page));
    if (example === null) continue;
    files.set(`examples/broken/${name}.yaml`, example);
    files.set(`examples/broken/${name}.txt`, renderExample({ name: `${name}.yaml`, text: example }));
  }
  return files;
}

function indexPage(): string {
  return `# Checks

What the commands find; an error in a policy is what \`ctc compile\` refuses to emit anything for. \`ctc explain NAME\`
prints these pages.

${printIndex(
  (page) => `- [\`${page.name}\`](${page.name}.md): ${firstSentence(page)}`,
  (title) => `## ${title}`,
)}`;
}

function tourPage(): string {
  const chapters = CHAPTERS.filter(({ pages }) => pages.some(({ example }) => example !== null)).map(
    ({ title, about, pages }) => {
      const rows = pages
        .filter(({ example }) => example !== null)
        .map(
          (page) =>
            `| [${page.name}](${page.name}.yaml) | [what ctc says](${page.name}.txt) | [why, and what to do](../../docs/checks/${page.name}.md) | ${firstSentence(page).replaceAll("|", "\\|")} |`,
        );
      return `## ${title}\n\n${about}\n\n| policy | | | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
    },
  );
  return `# Broken on purpose

A small policy for each fault that ctc finds, and no other in it; beside it, what \`ctc lint\` says. Read from top to
bottom this is a tour of what goes wrong in firewalls that leave connection tracking out: the first five are those that
pass every review and every ping, and break under load, for some clients, or now and then.

${chapters.join("\n")}`;
}
