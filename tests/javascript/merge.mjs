/* Merges what stands on standard input, a list of vectors, and prints what came of each in the vectors' own words. */
import { readFileSync } from "node:fs";
import { merge, UnsafeConfigValue } from "../../onboarding/static/onboarding/merging.js";

const choicesOf = (choices) => new Map(Object.entries(choices).map(([header, answer]) => (
  [header, typeof answer === "string" ? { answer } : { answer: "rename", newName: answer.rename }]
)));

const run = ({ existing_base64: existing, ours, choices }) => {
  try {
    const { content, conflicts, ...told } = merge(Buffer.from(existing, "base64"), ours, choicesOf(choices));
    return {
      ...told,
      content_base64: content === null ? null : Buffer.from(content).toString("base64"),
      conflicts: conflicts.map(({ section, line, isIdentical, usedBy, refusedName }) => (
        { section, line, is_identical: isIdentical, used_by: usedBy, refused_name: refusedName }
      )),
    };
  } catch (error) {
    if (error instanceof UnsafeConfigValue) return { unsafe: true };
    throw error;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(run)));
