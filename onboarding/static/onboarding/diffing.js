/* Two texts side by side, line by line: what stays, what goes, what comes. */

/* Rows of `{ left, right }`; a side is `{ number, text, mark }` with the mark "", "del" or "add", or null. */
export const sideBySide = (before, after) => {
  const rows = [];
  let gone = [];
  let come = [];
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, come.length); at += 1) {
      rows.push({ left: side(before, gone[at], "del"), right: side(after, come[at], "add") });
    }
    gone = [];
    come = [];
  };
  for (const { left, right } of pairs(before, after)) {
    if (right === null) {
      gone.push(left);
    } else if (left === null) {
      come.push(right);
    } else {
      flush();
      rows.push({ left: side(before, left, ""), right: side(after, right, "") });
    }
  }
  flush();
  return rows;
};

const side = (lines, index, mark) => (
  index === undefined ? null : { number: index + 1, text: lines[index], mark }
);

/* Fold what stays and is far from any change, and the middle of what is very long. A folded stretch is a row of
   `{ folded, kind }`: how many rows it stands for, and whether they "stay", are "added" or are "removed". */
export const fold = (rows, { around = 3, longest = 120 } = {}) => (
  runs(rows).flatMap(({ kind, rows: run, isFirst, isLast }) => {
    const head = kind === "stay" ? (isFirst ? 0 : around) : longest;
    const tail = kind === "stay" && !isLast ? around : 0;
    const folded = run.length - head - tail;
    if (folded < 2) return run;
    return [...run.slice(0, head), { folded, kind }, ...run.slice(run.length - tail)];
  })
);

const kindOf = ({ left, right }) => {
  if (left && right && !left.mark) return "stay";
  if (left && right) return "changed";
  return left ? "removed" : "added";
};

const runs = (rows) => {
  const found = [];
  for (const row of rows) {
    const kind = kindOf(row);
    if (found.at(-1)?.kind === kind) found.at(-1).rows.push(row);
    else found.push({ kind, rows: [row] });
  }
  return found.map((run, index) => ({ ...run, isFirst: index === 0, isLast: index === found.length - 1 }));
};

/* Which line is which: a patience diff. Lines that stand once on both sides, such as headers, hold the rest together. */
const pairs = (before, after) => {
  const found = [];
  const both = (left, right) => found.push({ left, right });

  const compare = (fromLeft, toLeft, fromRight, toRight) => {
    let [left, right, endLeft, endRight] = [fromLeft, fromRight, toLeft, toRight];
    while (left < endLeft && right < endRight && before[left] === after[right]) both(left++, right++);
    while (endLeft > left && endRight > right && before[endLeft - 1] === after[endRight - 1]) {
      endLeft -= 1;
      endRight -= 1;
    }
    const anchors = longestRising(uniqueOnBothSides(before, left, endLeft, after, right, endRight));
    for (const [anchorLeft, anchorRight] of anchors) {
      // A recursion with anchors of its own: what is left between two of them is smaller each time.
      compare(left, anchorLeft, right, anchorRight);
      both(anchorLeft, anchorRight);
      [left, right] = [anchorLeft + 1, anchorRight + 1];
    }
    if (anchors.length) {
      compare(left, endLeft, right, endRight);
    } else {
      while (left < endLeft) found.push({ left: left++, right: null });
      while (right < endRight) found.push({ left: null, right: right++ });
    }
    while (endLeft < toLeft) both(endLeft++, endRight++);
  };

  compare(0, before.length, 0, after.length);
  return found;
};

const uniqueOnBothSides = (before, fromLeft, toLeft, after, fromRight, toRight) => {
  const left = placesOf(before, fromLeft, toLeft);
  const right = placesOf(after, fromRight, toRight);
  return [...left]
    .filter(([line, place]) => place >= 0 && (right.get(line) ?? -1) >= 0)
    .map(([line, place]) => [place, right.get(line)]);
};

/* Where each line stands; -1 for one that stands there twice. */
const placesOf = (lines, from, to) => {
  const places = new Map();
  for (let at = from; at < to; at += 1) places.set(lines[at], places.has(lines[at]) ? -1 : at);
  return places;
};

/* Of pairs that rise on the left, the most that rise on the right as well. */
const longestRising = (found) => {
  const ends = [];
  const previous = new Map();
  for (const pair of found) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle][1] < pair[1]) low = middle + 1;
      else high = middle;
    }
    previous.set(pair, ends[low - 1]);
    ends[low] = pair;
  }
  const chain = [];
  for (let pair = ends.at(-1); pair; pair = previous.get(pair)) chain.push(pair);
  return chain.reverse();
};
