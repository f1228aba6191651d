/* Our sections into the AWS config that a person already has: onboarding/core/awsconfig in JavaScript, rule for rule.
   Both are held to tests/vectors/merge, and to each other on random files. Nothing here knows of a page or a network. */

export const BEGIN = "# >>> managed by Tobiishi >>>";
export const END = "# <<< managed by Tobiishi <<<";

const NOTE = "# Your portal rewrites everything down to the closing line; settings of your own belong outside.";
const BOM = "\ufeff";
const INHERITED_BY_ALL = "DEFAULT";

/* What stands here comes from the portal and is no config that it could have made. */
export class UnsafeConfigValue extends Error {}

/* Bytes and text -------------------------------------------------------------- */

/* As Python's "surrogateescape": a byte that is no UTF-8 becomes a lone surrogate, and comes out again as it went in. */
export const decode = (bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return decodeByteByByte(bytes);
  }
};

const decodeByteByByte = (bytes) => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    try {
      parts.push(strict.decode(bytes.subarray(at, at + length)));
      at += length;
    } catch {
      parts.push(String.fromCharCode(0xdc00 + bytes[at]));
      at += 1;
    }
  }
  return parts.join("");
};

/* A run of ASCII at once; else as many bytes as the first one announces. */
const sequenceLength = (bytes, at) => {
  if (bytes[at] >= 0x80) return bytes[at] >= 0xf0 ? 4 : bytes[at] >= 0xe0 ? 3 : 2;
  let end = at;
  while (end < bytes.length && bytes[end] < 0x80) end += 1;
  return end - at;
};

export const encode = (text) => {
  const encoder = new TextEncoder();
  const pieces = text.split(/([\udc80-\udcff])/u);
  const encoded = pieces.map((piece, index) => (
    index % 2 ? Uint8Array.of(piece.charCodeAt(0) - 0xdc00) : encoder.encode(piece)
  ));
  const bytes = new Uint8Array(encoded.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of encoded) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
};

/* For eyes: bytes that are no UTF-8 are for the file alone. */
export const readable = (text) => text.replace(/[\udc80-\udcff]/gu, "?");

/* What Python's str.strip takes away, which is not what String.trim does. */
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${SPACE}]+`);
const TRAILING = new RegExp(`[^${SPACE}](?=[${SPACE}]*$)`);

const stripStart = (text) => text.replace(LEADING, "");
const stripEnd = (text) => {
  const last = TRAILING.exec(text);
  return last ? text.slice(0, last.index + 1) : "";
};
const strip = (text) => stripStart(stripEnd(text));

export const splitLines = (text) => text.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+/g) ?? [];

/* Scanning: as botocore reads a config, but to the end, and saying what stops it where ------------ */

const KINDS = ["profile", "sso-session", "services"];

/* What a section is to botocore: `[profile "x"]` and `[profile  x]` are both `profile x`. */
const identity = (header) => {
  if (/^(?:profile|sso-session|services) [A-Za-z0-9_.@+/-]+$/.test(header)) return header;
  const kind = KINDS.find((known) => header.startsWith(known));
  const words = kind ? shellWords(header) : [];
  return words.length === 2 ? `${kind} ${words[1]}` : header;
};

/* As Python's shlex.split, which botocore uses; nothing where a quotation has no end. */
const shellWords = (text) => {
  const words = [];
  let word = "";
  let isWord = false;
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quote && character === quote) {
      quote = "";
    } else if (character === "\\" && quote !== "'") {
      at += 1;
      if (at === text.length) return [];
      // Between quotes the backslash stays, unless it stands before a quote or another backslash.
      word += quote && text[at] !== "\\" && text[at] !== quote ? `\\${text[at]}` : text[at];
      isWord = true;
    } else if (quote) {
      word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      isWord = true;
    } else if (/[ \t\r\n]/.test(character)) {
      if (isWord) words.push(word);
      word = "";
      isWord = false;
    } else {
      word += character;
      isWord = true;
    }
  }
  if (quote) return [];
  return isWord ? [...words, word] : words;
};

/* The rules of Python's configparser, line for line; where that gives up, this notes a problem and goes on. */
class Reader {
  sections = [];
  problems = [];
  #isAfterBlock = false;
  #section = null;
  #key = "";
  #indent = 0;
  #headers = new Set();
  #keys = new Set();
  #inheritedKeys = new Set();

  /* From here on, what stands before the next header would belong to our last section. */
  passBlock() {
    this.#isAfterBlock = true;
    this.#section = null;
    this.#key = "";
    this.#indent = 0;
  }

  read(number, line) {
    const text = strip(line);
    if (!text || text.startsWith("#") || text.startsWith(";")) return;
    const indent = line.length - stripStart(line).length;
    const hasValueAbove = this.#key !== "" || (this.#section === null && this.#isAfterBlock);
    if (hasValueAbove && indent > this.#indent) {
      this.#continue(number, text);
      return;
    }
    this.#indent = indent;
    const header = /^\[([^\n]+)\]/.exec(text);
    if (header) this.#open(number, header[1]);
    else this.#set(number, text);
  }

  #open(number, header) {
    if (this.#headers.has(header)) this.#note(number, "duplicate_section", header);
    // `[DEFAULT]` may come as often as it likes; only its keys may not.
    if (header === INHERITED_BY_ALL) {
      this.#keys = this.#inheritedKeys;
    } else {
      this.#headers.add(header);
      this.#keys = new Set();
    }
    this.#section = { header, identity: identity(header), first: number, last: number, settings: new Map() };
    this.#key = "";
    this.sections.push(this.#section);
  }

  #set(number, text) {
    if (this.#section === null) {
      this.#note(number, this.#isAfterBlock ? "setting_after_block" : "before_any_section", text);
      return;
    }
    this.#section.last = number;
    const setting = /^([^=:]*)[=:]([^]*)/.exec(text);
    if (!setting || !setting[1]) {
      this.#note(number, "not_a_setting", text);
      return;
    }
    this.#key = strip(setting[1]).toLowerCase();
    if (this.#keys.has(this.#key)) this.#note(number, "duplicate_setting", this.#key);
    this.#keys.add(this.#key);
    this.#section.settings.set(this.#key, strip(setting[2]));
  }

  #continue(number, text) {
    if (this.#section === null) {
      this.#note(number, "setting_after_block", text);
      return;
    }
    this.#section.last = number;
    const above = this.#section.settings.get(this.#key);
    if (!text.includes("=") && (!above || above.startsWith("\n"))) this.#note(number, "not_a_nested_setting", text);
    this.#section.settings.set(this.#key, `${above}\n${text}`);
  }

  #note(line, kind, found) {
    this.problems.push({ line, kind, found: readable(found) });
  }
}

/* The file: our block in it, and what stands around; nothing outside is ever written anew ---------- */

// Ours have at least these keys; `aws configure set` may have added more. Anything else was put there by a person.
const OWN_KEYS = [
  ["sso_start_url", "sso_region"],
  ["sso_session", "sso_account_id"],
  ["role_arn", "source_profile", "external_id"],
];

/* Never throws: what stops AWS's clients is in `problems`. `start` and `stop` are the block's, fences included. */
export const parseConfig = (existing) => {
  const text = decode(existing);
  const mark = text.startsWith(BOM) ? BOM : "";
  const lines = splitLines(text.slice(mark.length));
  const { start, stop, problems } = findBlock(lines);
  const reader = new Reader();
  lines.slice(0, start).forEach((line, index) => reader.read(index + 1, line));
  reader.passBlock();
  lines.slice(stop).forEach((line, index) => reader.read(stop + index + 1, line));
  const outside = new Map();
  for (const section of reader.sections) {
    if (!outside.has(section.identity)) outside.set(section.identity, []);
    outside.get(section.identity).push(section);
  }
  const found = [...problems, ...ownSections(lines.slice(start, stop), start), ...reader.problems];
  return {
    mark,
    lines,
    start,
    stop,
    outside,
    problems: notText(lines) ?? found.sort((one, other) => one.line - other.line),
    notices: noticesOf(mark, lines, outside),
  };
};

const findBlock = (lines) => {
  const fences = [];
  lines.forEach((line, index) => {
    const fence = stripEnd(line);
    if (fence === BEGIN || fence === END) fences.push({ index, fence });
  });
  if (fences.length === 2 && fences[0].fence === BEGIN && fences[1].fence === END) {
    return { start: fences[0].index, stop: fences[1].index + 1, problems: [] };
  }
  const wrong = fences.findIndex(({ fence }, place) => fence !== [BEGIN, END][place]);
  const told = wrong < 0 ? fences : [fences[wrong]];
  const problems = told.map(({ index, fence }) => ({ line: index + 1, kind: "broken_fence", found: fence }));
  return { start: lines.length, stop: lines.length, problems };
};

/* UTF-16, which Windows' editors call "Unicode", or no text at all: then nothing else is worth saying. */
const notText = (lines) => {
  const index = lines.findIndex((line) => line.includes("\0"));
  return index < 0 ? null : [{ line: index + 1, kind: "not_text", found: "" }];
};

const ownSections = (block, offset) => {
  const reader = new Reader();
  block.forEach((line, index) => reader.read(offset + index + 1, line));
  return reader.sections
    .filter(({ settings }) => !OWN_KEYS.some((keys) => keys.every((key) => settings.has(key))))
    .map(({ first, header }) => ({ line: first, kind: "own_section_in_block", found: header }));
};

const noticesOf = (mark, lines, outside) => {
  const notices = mark ? [{ line: 1, kind: "byte_order_mark" }] : [];
  const odd = lines.findIndex((line) => /[\udc80-\udcff]/u.test(line));
  if (odd >= 0) notices.push({ line: odd + 1, kind: "not_utf8" });
  for (const { first, settings } of outside.get(INHERITED_BY_ALL) ?? []) {
    if (settings.size) notices.push({ line: first, kind: "inherited_by_all" });
  }
  return notices;
};

/* The file with these lines between the fences; with no lines there is no block. */
const withBlock = (file, blockLines, without) => {
  const { lines, start, stop } = file;
  // As the first line ends; a carriage return alone counts as half a pair, for not every client sees one.
  const newline = /\r\n?$/.test(lines[0] ?? "") ? "\r\n" : "\n";
  const dropped = new Set(without.flatMap((section) => linesOf(file, section)));
  const before = lines.filter((_, index) => index < start && !dropped.has(index));
  const after = lines.filter((_, index) => index >= stop && !dropped.has(index));
  const block = blockLines.length ? [BEGIN, ...blockLines, END].map((line) => line + newline) : [];
  const gap = block.length && start === stop ? gapAfter(before, newline) : "";
  return encode([file.mark, ...before, gap, ...block, ...after].join(""));
};

/* From its header to its last setting, with the blank lines that follow. */
const linesOf = ({ lines }, { first, last }) => {
  let end = last;
  while (end < lines.length && !strip(lines[end])) end += 1;
  return Array.from({ length: end - first + 1 }, (_, index) => first - 1 + index);
};

/* A blank line before a new block, after a line that may have no end. */
const gapAfter = (before, newline) => {
  if (!before.length) return "";
  const last = before.at(-1);
  return (/[\r\n]$/.test(last) ? "" : newline) + (strip(last) ? newline : "");
};

/* Merging ---------------------------------------------------------------------- */

const NAME = "[A-Za-z0-9_-]{1,64}";
const KEPT = new RegExp(`^# kept yours: ((?:profile|sso-session) ${NAME})$`);
const RENAMED = new RegExp(`^# renamed: ((?:profile|sso-session) ${NAME}) -> (${NAME})$`);
const RENDERED_SECTION = new RegExp(
  `^\\[(profile|sso-session) (${NAME})\\]\\n((?:[a-z_]+ = [A-Za-z0-9_+=,.@:/~-]+\\n)+)$`,
);
const BASTION = "sso_session sso_account_id sso_role_name region";
const PARTNER = "role_arn source_profile external_id role_session_name region";
const SHAPES = {
  "sso-session": ["sso_start_url sso_region sso_registration_scopes"],
  profile: [BASTION, `${BASTION} output`, PARTNER, `${PARTNER} output`],
};
// The one key through which a section of ours names another, and the kind of that other.
const REFERENCES = new Map([["sso_session", "sso-session"], ["source_profile", "profile"]]);

/* `ours` is what the portal rendered; `choices` is a Map from a header (`profile acme-admin`) to
   `{ answer: "keep" | "take" | "rename", newName }`. `content` is the whole new file, and null while there is a problem
   or a conflict. Throws `UnsafeConfigValue` where `ours` is anything that the portal could not have rendered. */
export const merge = (existing, ours, choices = new Map()) => {
  const file = parseConfig(existing);
  const nothing = { content: null, problems: file.problems, conflicts: [], notices: file.notices };
  if (file.problems.length) return nothing;
  const sections = readRendered(ours);
  const settled = settle(sections, file.outside, new Map([...remembered(file), ...choices]));
  if (settled.conflicts.length) {
    return { ...nothing, conflicts: settled.conflicts.sort((one, other) => one.line - other.line) };
  }
  return { ...nothing, content: withBlock(file, blockLines(sections, settled), settled.taken) };
};

/* What the person chose at an earlier merge; it stands in the block. */
export const remembered = ({ lines, start, stop }) => {
  const choices = new Map();
  for (const line of lines.slice(start, stop).map(stripEnd)) {
    const kept = KEPT.exec(line);
    const renamed = RENAMED.exec(line);
    if (kept) choices.set(kept[1], { answer: "keep" });
    else if (renamed) choices.set(renamed[1], { answer: "rename", newName: renamed[2] });
  }
  return choices;
};

/* Only the keys that the portal writes, in its order: nothing that was added on the way here gets into the file. */
export const readRendered = (ours) => {
  if (!ours) return [];
  const sections = ours.replace(/\n$/, "").split("\n\n").map(readSection);
  if (new Set(sections.map(({ header }) => header)).size < sections.length) {
    throw new UnsafeConfigValue("a section twice");
  }
  return sections;
};

const readSection = (text) => {
  const parts = RENDERED_SECTION.exec(`${text}\n`);
  if (!parts) throw new UnsafeConfigValue(text);
  const [, kind, name, lines] = parts;
  const pairs = lines.trimEnd().split("\n").map((line) => {
    const [key] = line.split(" = ", 1);
    return [key, line.slice(key.length + 3)];
  });
  if (!SHAPES[kind].includes(pairs.map(([key]) => key).join(" "))) throw new UnsafeConfigValue(text);
  return { kind, name, header: `${kind} ${name}`, settings: new Map(pairs) };
};

const settle = (ours, outside, choices) => {
  const settled = { conflicts: [], kept: new Set(), renamed: new Map(), taken: [] };
  const namesInUse = new Set([...ours.map(({ header }) => header), ...outside.keys()]);
  const users = usersOf(ours);
  for (const section of ours) {
    const theirs = outside.get(section.header) ?? [];
    const { answer, newName = "" } = choices.get(section.header) ?? {};
    if (answer === "rename") {
      const newHeader = `${section.kind} ${newName}`;
      if (!isName(newName) || namesInUse.has(newHeader)) {
        const inTheWay = theirs.length ? theirs : outside.get(newHeader) ?? [];
        settled.conflicts.push(conflict(section, inTheWay, users, newName));
      }
      namesInUse.add(newHeader);
      settled.renamed.set(section.header, newName);
    } else if (answer === "keep" && theirs.length) {
      settled.kept.add(section.header);
    } else if (answer === "take") {
      settled.taken.push(...theirs);
    } else if (!answer && theirs.length) {
      settled.conflicts.push(conflict(section, theirs, users));
    }
  }
  return settled;
};

const isName = (text) => new RegExp(`^${NAME}$`).test(text) && text.toLowerCase() !== "default";

/* By header, the sections of ours that refer to it. */
export const usersOf = (ours) => {
  const users = new Map();
  for (const { header, settings } of ours) {
    for (const [key, kind] of REFERENCES) {
      if (!settings.has(key)) continue;
      const used = `${kind} ${settings.get(key)}`;
      if (!users.has(used)) users.set(used, []);
      users.get(used).push(header);
    }
  }
  return users;
};

/* Nobody has chosen yet, or `refusedName` is taken or no name; `line` is 0 where nothing outside is in the way. */
const conflict = ({ header, settings }, theirs, users, refusedName = "") => ({
  section: header,
  line: theirs.length ? Math.min(...theirs.map(({ first }) => first)) : 0,
  isIdentical: theirs.length > 0 && theirs.every((their) => isSame(their.settings, settings)),
  usedBy: users.get(header) ?? [],
  refusedName,
});

const isSame = (one, other) => one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);

/* What is to be between the fences, with the choices, so that the next merge need not ask again. */
const blockLines = (ours, { kept, renamed }) => {
  if (!ours.length) return [];
  const lines = [NOTE];
  for (const { header } of ours) if (kept.has(header)) lines.push(`# kept yours: ${header}`);
  for (const [header, newName] of renamed) lines.push(`# renamed: ${header} -> ${newName}`);
  for (const section of ours) if (!kept.has(section.header)) lines.push("", ...sectionLines(section, renamed));
  return lines;
};

/* A new name is a new name everywhere: also where a section of ours refers to the renamed one. */
export const sectionLines = ({ kind, name, header, settings }, renamed = new Map()) => {
  const lines = [`[${kind} ${renamed.get(header) ?? name}]`];
  for (const [key, value] of settings) {
    lines.push(`${key} = ${renamed.get(`${REFERENCES.get(key)} ${value}`) ?? value}`);
  }
  return lines;
};
