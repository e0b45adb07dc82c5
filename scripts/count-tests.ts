/**
 * Reads vitest's JSON report and ends the CI run with one line that counts: `N passed, N failed`. A skipped test has
 * shown nothing, so it counts as failed, and so does a file of tests that could not be run at all.
 *
 * node scripts/count-tests.ts REPORT EXIT-CODE-OF-VITEST
 */
import { readFileSync } from "node:fs";

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const [path, exitCode] = process.argv.slice(2);
const report: TestReport = JSON.parse(readFileSync(path!, "utf8"));

let passed = 0;
let failed = 0;
for (const file of report.testResults) {
  for (const test of file.assertionResults) {
    if (test.status === "passed") passed++;
    else failed++;
    if (test.status !== "passed" && test.status !== "failed") {
      console.error(`not run (${test.status}): ${file.name}: ${test.fullName}`);
    }
  }
  if (file.assertionResults.length === 0) {
    failed++;
    console.error(`no test ran: ${file.name}`);
  }
}
if (passed === 0) console.error("no test passed");
// Vitest may fail by more than its tests: by an error that nobody caught, by a leftover snapshot.
const isGreen = passed > 0 && failed === 0 && exitCode === "0";
if (!isGreen && failed === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = isGreen ? 0 : 1;
