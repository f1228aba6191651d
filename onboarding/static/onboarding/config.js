/* The merge on the employee's page. The file is read, compared and written here; no byte of it is sent anywhere. */

const page = document.getElementById("merge");
const merging = await import(page.dataset.merging);
const { decode, merge, parseConfig, readable, readRendered, remembered, sectionLines, splitLines, usersOf } = merging;
const { fold, sideBySide } = await import(page.dataset.diffing);

const LARGEST = 4 * 1024 * 1024;

/* What is open: `{ name, bytes, handle }`, or null; a handle is what a browser gives that can also write. */
let file = null;
/* By header, what the person answers; `isEarlier` where it was answered at a merge before. */
let choices = new Map();
/* The whole new file, or null while there is a problem or a question. */
let merged = null;
/* For which questions the cards stand there. */
let cardsFor = "";

const part = (name) => page.querySelector(`[data-part="${name}"]`);
const show = (name, isShown) => { part(name).hidden = !isShown; };
const text = (name, facts = {}) => (
  page.querySelector(`template[data-text="${name}"]`).content.textContent
    .replace(/\{(\w+)\}/g, (slot, key) => facts[key] ?? slot)
);
const ours = () => document.getElementById("portals-sections").textContent;

/* Lines in colour ------------------------------------------------------------- */

const colour = (line) => {
  const fragment = document.createDocumentFragment();
  const add = (look, content) => {
    const piece = document.createElement("span");
    piece.className = look;
    piece.textContent = content;
    fragment.append(piece);
  };
  const setting = /^(\s*[\w-]+)(\s*=\s*)([^]*)$/.exec(line);
  if (/^\s*[#;]/.test(line)) add("c", line);
  else if (/^\s*\[.*\]/.test(line)) add("h", line);
  else if (setting) {
    add("k", setting[1]);
    fragment.append(setting[2]);
    add("s", setting[3]);
  } else fragment.append(line);
  return fragment;
};

const withoutEnd = (line) => line.replace(/[\r\n]+$/, "");

const lineElement = (number, mark, content) => {
  const line = document.createElement("span");
  line.className = `l ${mark}`.trim();
  line.dataset.n = number;
  line.append(content, "\n");
  return line;
};

const sideElement = (row, side) => {
  if (row.folded) return lineElement("", "gap", text(`fold-${row.kind}`, { count: row.folded }));
  if (!row[side]) return lineElement("", "gap", "");
  const { number, mark, text: content } = row[side];
  return lineElement(number, mark, colour(readable(withoutEnd(content))));
};

const drawDiff = (rows, left, right) => {
  left.replaceChildren(...rows.map((row) => sideElement(row, "left")));
  right.replaceChildren(...rows.map((row) => sideElement(row, "right")));
};

/* The questions ---------------------------------------------------------------- */

/* One card for each section that stands in both; what was answered before is answered already. */
const askAbout = (parsed, sections) => {
  const before = remembered(parsed);
  const cards = [];
  for (const section of sections) {
    const theirs = parsed.outside.get(section.header);
    const earlier = before.get(section.header);
    if (earlier && !choices.has(section.header)) choices.set(section.header, { ...earlier, isEarlier: true });
    if (theirs || choices.get(section.header)?.answer === "rename") cards.push({ section, theirs: theirs ?? [] });
  }
  return cards;
};

/* Only where they have changed: somebody may be typing in one. */
const drawCards = (cards, sections, lines) => {
  const wanted = [ours(), ...cards.map(({ section }) => section.header)].join("\n");
  if (wanted === cardsFor) return;
  cardsFor = wanted;
  const users = usersOf(sections);
  part("conflicts").replaceChildren(...cards.map((card) => cardElement(card, lines, users)));
};

const cardElement = ({ section, theirs }, lines, users) => {
  const card = page.querySelector("template[data-card]").content.cloneNode(true).firstElementChild;
  const slot = (name) => card.querySelector(`[data-slot="${name}"]`);
  const theirLines = theirs.flatMap(({ first, last }) => lines.slice(first - 1, last).map(withoutEnd));
  const ourLines = sectionLines(section);
  const isSameText = theirLines.join("\n") === ourLines.join("\n");
  const choice = choices.get(section.header);
  const used = users.get(section.header);
  card.dataset.header = section.header;
  slot("header").textContent = `[${section.header}]`;
  slot("what").textContent = [
    theirs.length ? text(isSameText ? "same-words" : "same-name", { line: theirs[0].first }) : "",
    choice?.isEarlier ? text("answered-before") : "",
  ].join(" ");
  drawDiff(sideBySide(theirLines, ourLines), slot("theirs"), slot("ours"));
  slot("used-by").hidden = !used;
  slot("used-by").textContent = text("used-by", { names: used?.join(", ") });
  for (const radio of card.querySelectorAll("[type=radio]")) {
    radio.name = `answer ${section.header}`;
    radio.checked = choice?.answer === radio.value;
  }
  card.querySelector("[type=text]").value = choice?.newName ?? `${section.name.slice(0, 57)}-portal`;
  return card;
};

const readAnswers = () => {
  for (const card of part("conflicts").children) {
    const answer = card.querySelector("[type=radio]:checked")?.value;
    const newName = card.querySelector("[type=text]").value;
    const earlier = choices.get(card.dataset.header);
    if (answer && (answer !== earlier?.answer || (answer === "rename" && newName !== earlier.newName))) {
      choices.set(card.dataset.header, { answer, newName });
    }
  }
};

/* From file and answers to what the page shows ------------------------------------- */

const refresh = () => {
  if (!file) return;
  try {
    const sections = readRendered(ours());
    const parsed = parseConfig(file.bytes);
    drawCards(parsed.problems.length ? [] : askAbout(parsed, sections), sections, parsed.lines);
    const result = merge(file.bytes, ours(), choices);
    merged = result.content;
    drawResult(result);
  } catch (error) {
    if (!(error instanceof merging.UnsafeConfigValue)) throw error;
    refuse("unsafe");
  }
};

const drawResult = ({ problems, conflicts, notices }) => {
  page.hidden = false;
  show("problems", problems.length > 0);
  part("problem-list").replaceChildren(...problems.map(sentence));
  drawExcerpt(problems);
  show("notices", notices.length > 0);
  part("notices").replaceChildren(...notices.map(sentence));
  show("conflicts", part("conflicts").children.length > 0);
  show("all", part("conflicts").children.length > 1);
  for (const card of part("conflicts").children) drawRefusal(card, conflicts);
  show("waiting", conflicts.length > 0);
  show("diff", merged !== null);
  // What is copied goes through text, and some bytes are none.
  drawActions(notices.some(({ kind }) => kind === "not_utf8"));
  part("summary").textContent = merged ? drawMerged() : summaryOf(problems, conflicts);
};

const summaryOf = (problems, conflicts) => (
  problems.length ? text("unreadable") : text("asked", { count: conflicts.length })
);

const sentence = ({ kind, line, found }) => {
  const item = document.createElement("li");
  item.textContent = text(kind, { line, found });
  return item;
};

/* The lines that are meant, each with two above and below. */
const drawExcerpt = (problems) => {
  const hot = new Set(problems.map(({ line }) => line));
  const lines = splitLines(decode(file.bytes));
  const elements = [];
  let last = 0;
  lines.forEach((line, index) => {
    const number = index + 1;
    if (![-2, -1, 0, 1, 2].some((away) => hot.has(number + away))) return;
    if (last && number > last + 1) elements.push(lineElement("", "gap", "…"));
    elements.push(lineElement(number, hot.has(number) ? "hot" : "", colour(readable(withoutEnd(line)))));
    last = number;
  });
  show("excerpt", problems.length > 0 && problems.every(({ kind }) => kind !== "not_text"));
  part("name").textContent = file.name;
  part("hot").replaceChildren(...elements);
};

const drawRefusal = (card, conflicts) => {
  const isRefused = choices.get(card.dataset.header)?.answer === "rename"
    && conflicts.some(({ section }) => section === card.dataset.header);
  const place = card.querySelector('[data-slot="refused"]');
  place.hidden = !isRefused;
  place.textContent = text("refused");
};

const drawMerged = () => {
  const rows = sideBySide(splitLines(decode(file.bytes)), splitLines(decode(merged)));
  drawDiff(fold(rows), part("before"), part("after"));
  const added = rows.filter(({ right }) => right?.mark).length;
  const removed = rows.filter(({ left }) => left?.mark).length;
  return added + removed ? text("changes", { added, removed }) : text("unchanged");
};

const drawActions = (isNoText = false) => {
  const isOpen = merged !== null && !isSame(merged, file.bytes);
  const button = (name, isShown) => {
    const found = page.querySelector(`[data-do="${name}"]`);
    found.hidden = !isOpen || !isShown;
    return found;
  };
  button("save", file.handle);
  button("download", true).classList.toggle("main", !file.handle);
  button("copy", navigator.clipboard && !isNoText);
  button("backup", true);
  show("by-hand", isOpen && !file.handle);
};

const isSame = (one, other) => one.length === other.length && one.every((byte, index) => byte === other[index]);

const tell = (name, facts, isBad = false) => {
  const place = part("result");
  place.textContent = text(name, facts);
  place.classList.toggle("bad", isBad);
  place.hidden = false;
};

/* Nothing can be shown of this file. */
const refuse = (name) => {
  forget();
  page.hidden = false;
  tell(name, {}, true);
};

const forget = () => {
  file = null;
  merged = null;
  choices = new Map();
  cardsFor = "";
  page.hidden = true;
  part("summary").textContent = "";
  for (const name of ["result", "problems", "notices", "conflicts", "all", "waiting", "diff", "by-hand"]) show(name, false);
  for (const name of ["conflicts", "before", "after", "hot"]) part(name).replaceChildren();
  for (const name of ["save", "download", "copy", "backup"]) page.querySelector(`[data-do="${name}"]`).hidden = true;
  const input = document.getElementById("mine");
  if (input) input.value = "";
};

/* The file in and out ------------------------------------------------------------- */

const open = async (found, handle = null) => {
  forget();
  if (found.size > LARGEST) {
    refuse("too-large");
    return;
  }
  file = { name: found.name, bytes: new Uint8Array(await found.arrayBuffer()), handle };
  refresh();
  page.scrollIntoView({ block: "start" });
  document.getElementById("merge-title").focus({ preventScroll: true });
};

const pick = async () => {
  try {
    const [handle] = await window.showOpenFilePicker({ id: "aws-config" });
    await open(await handle.getFile(), handle);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
};

const download = (bytes, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

const backupName = () => `config-before-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;

/* The browser writes beside the file and puts it in its place when all is written. */
const save = async () => {
  try {
    const now = new Uint8Array(await (await file.handle.getFile()).arrayBuffer());
    if (!isSame(now, file.bytes)) {
      file.bytes = now;
      cardsFor = "";
      refresh();
      tell("changed", { name: file.name }, true);
      return;
    }
    const writable = await file.handle.createWritable();
    await writable.write(merged);
    const backup = backupName();
    download(now, backup);
    await writable.close();
    taken();
    file.bytes = merged;
    tell("saved", { name: file.name, backup });
    drawActions();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    tell(error.name === "NotAllowedError" ? "not-allowed" : "gone", {}, true);
  }
};

/* The portal hears that the config was taken, and nothing of the file. */
const taken = () => {
  document.dispatchEvent(new CustomEvent("taken", { detail: { url: page.dataset.takenUrl } }));
};

const actions = {
  save,
  forget: () => {
    forget();
    document.getElementById("mine")?.focus();
  },
  download: () => {
    download(merged, "config");
    taken();
    tell("downloaded");
  },
  "keep-all": () => answerAll("keep"),
  "take-all": () => answerAll("take"),
  backup: () => download(file.bytes, backupName()),
  copy: async () => {
    await navigator.clipboard.writeText(decode(merged));
    taken();
    document.dispatchEvent(new CustomEvent("announce", { detail: { value: document.getElementById("announcer").dataset.copied } }));
  },
};

const answerAll = (answer) => {
  for (const radio of part("conflicts").querySelectorAll(`[value="${answer}"]`)) radio.checked = true;
  readAnswers();
  refresh();
};

/* Listening on the document: the config, and the box with it, are answered anew with each choice. */
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-do]");
  if (asked) actions[asked.dataset.do]();
  if (event.target.id === "mine" && window.showOpenFilePicker) {
    event.preventDefault();
    pick();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.id === "mine" && event.target.files.length) open(event.target.files[0]);
});

part("conflicts").addEventListener("input", (event) => {
  const card = event.target.closest("fieldset");
  if (event.target.type === "text") card.querySelector('[value="rename"]').checked = true;
  readAnswers();
  refresh();
});

const dropped = (event) => event.target.closest?.("#drop");

document.addEventListener("dragover", (event) => {
  document.getElementById("drop")?.classList.toggle("over", Boolean(dropped(event)));
  if (dropped(event)) event.preventDefault();
});

document.addEventListener("drop", async (event) => {
  if (!dropped(event)) return;
  event.preventDefault();
  document.getElementById("drop").classList.remove("over");
  const [item] = event.dataTransfer.items;
  const found = item?.getAsFile();
  // Asked for at once: after the first wait the browser has taken the item back.
  const handle = await item?.getAsFileSystemHandle?.();
  if (found && handle?.kind !== "directory") open(found, handle);
});

document.addEventListener("htmx:afterSettle", refresh);

document.documentElement.classList.add("can-merge");
