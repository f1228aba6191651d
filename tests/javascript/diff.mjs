/* Compares what stands on standard input, a list of pairs of lists of lines, and prints the rows of each. */
import { readFileSync } from "node:fs";
import { fold, sideBySide } from "../../onboarding/static/onboarding/diffing.js";

const asked = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(([before, after]) => {
  const rows = sideBySide(before, after);
  return { rows, folded: fold(rows, { around: 1, longest: 2 }) };
})));
