// The data of an explorer of topics: a compressed header with arrays, the words of texts, and what the reader has changed.
"use strict";

class TopicData {
  static async read(element) {
    const text = atob(element.textContent.trim()), packed = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
    element.remove();
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new TopicData(await new Response(stream).arrayBuffer());
  }

  constructor(buffer) {
    const size = new DataView(buffer).getUint32(0, true);
    Object.assign(this, JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size))));
    const kinds = { int16: Int16Array, int32: Int32Array, uint16: Uint16Array, uint32: Uint32Array, uint8: Uint8Array };
    for (const [name, [kind, offset, length]] of Object.entries(this.arrays))
      this.arrays[name] = new kinds[kind](buffer, 4 + size + offset, length);
    this.strings = new TextDecoder().decode(this.arrays.strings).split("\n");
    this.shown = this.arrays.rows.length;
    this.places = new Int32Array(this.num_texts).fill(-1); // of the texts on the map
    this.arrays.rows.forEach((row, i) => (this.places[row] = i));
    this.columnsOf = new Map(); // of a word in lower case
    this.vocabulary.forEach((word, i) => this.columnsOf.set(word.toLowerCase(), [...(this.columnsOf.get(word.toLowerCase()) ?? []), i]));
    this.edits = { labels: {}, merge: [], hide: [] };
    this.plural = `${this.topic_noun}s`;
    this.texts = `${this.noun}s`;
  }

  // ---- texts: by position in the data (row), or on the map (place)

  text(place) {
    return this.strings[place];
  }

  title(place) {
    return this.titled ? this.strings[this.shown + place] : `${capital(this.noun)} ${this.arrays.rows[place]}`;
  }

  // Name and value of each further column of the user.
  facts(place) {
    const value = i => this.strings[(i + 1 + this.titled) * this.shown + place];
    return this.columns.map((name, i) => (value(i) ? `${name}: ${value(i)}` : "")).filter(Boolean);
  }

  topicOf(row) {
    return this.arrays.topic[row];
  }

  // The rows of the texts that hold a word of the model.
  rowsWith(number) {
    const { postings, offsets } = this.arrays, rows = [];
    let row = 0, step = 0, bits = 0;
    for (let i = offsets[number]; i < offsets[number + 1]; i++) {
      step |= (postings[i] & 127) << bits;
      bits += 7;
      if (postings[i] & 128) continue;
      rows.push((row += step));
      step = bits = 0;
    }
    return rows;
  }

  // The rows of the texts that hold all words of a query. A word that the model does not know is looked up in the texts themselves
  // where the page holds all of them whole, and otherwise in their beginnings.
  search(query) {
    const words = query.toLowerCase().split(/\s+/u).map(word => (this.columnsOf.has(word) ? word : trimmed(word))).filter(Boolean);
    const unknown = words.filter(word => !this.columnsOf.has(word)), marked = new Uint16Array(this.num_texts), rows = [];
    words.forEach((word, step) => {
      const lists = this.columnsOf.get(word)?.map(number => this.rowsWith(number)) ?? [this.rowsWithString(word)];
      for (const list of lists) for (const row of list) if (marked[row] === step) marked[row] = step + 1;
    });
    const perTopic = new Int32Array(this.topics.length);
    for (let row = 0; row < marked.length; row++) {
      marked[row] = words.length && marked[row] === words.length ? 1 : 0;
      if (!marked[row]) continue;
      rows.push(row);
      if (this.topicOf(row) >= 0) perTopic[this.topicOf(row)]++;
    }
    return { words, unknown, rows, marked, number: topic => sum(this.members(topic).map(k => perTopic[k])) };
  }

  rowsWithString(word) {
    this.lowered ??= this.strings.slice(0, this.shown).map(text => text.toLowerCase());
    const pattern = new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\p{L}\\p{M}\\p{N}_])`, "u");
    return Array.from(this.arrays.rows).filter((_, place) => this.lowered[place].includes(word) && pattern.test(this.lowered[place]));
  }

  // ---- topics as the reader has edited them

  // The topic that stands for another after the merges: the smallest of its group.
  group(topic) {
    const group = this.edits.merge.find(each => each.includes(topic));
    return group ? Math.min(...group) : topic;
  }

  members(topic) {
    return this.edits.merge.find(each => each.includes(topic)) ?? [topic];
  }

  get groups() {
    return this.topics.map(each => each.number).filter(k => this.group(k) === k && !this.gone.includes(k));
  }

  hidden(topic) {
    return this.edits.hide.includes(this.group(topic));
  }

  size(topic) {
    return sum(this.members(topic).map(k => this.topics[k].size));
  }

  share(topic) {
    return sum(this.members(topic).map(k => this.topics[k].share));
  }

  label(topic) {
    const members = this.members(topic);
    const largest = members.reduce((a, b) => (this.topics[b].size > this.topics[a].size ? b : a));
    return this.edits.labels[this.group(topic)] ?? this.topics[largest].label;
  }

  name(topic) {
    return `${topic}: ${this.label(topic)}`;
  }

  // Words of a topic, or of merged ones: probabilities weighted by the share of each.
  words(topic) {
    const members = this.members(topic), total = this.share(topic) || 1;
    const found = new Map();
    for (const k of members) {
      const { words, probabilities, overall } = this.topics[k].by_relevance;
      words.forEach((word, i) => {
        const entry = found.get(word) ?? { word, p: 0, overall: overall[i] };
        entry.p += (probabilities[i] * (members.length > 1 ? this.topics[k].share : total)) / total;
        found.set(word, entry);
      });
    }
    return [...found.values()];
  }

  // Texts per group of a grouping for each topic that is left.
  countsOf(kind) {
    return this[kind].counts.map(row => this.groups.map(topic => sum(this.members(topic).map(k => row[k]))));
  }

  similarityOf(a, b) {
    const pairs = this.members(a).flatMap(i => this.members(b).map(j => this.similarity[i][j]));
    return sum(pairs) / pairs.length;
  }

  // ---- edits

  rename(topic, label) {
    const clean = label.replace(/\s+/gu, " ").trim();
    if (clean && clean !== this.label(topic)) this.edits.labels[topic] = clean;
    else if (!clean) delete this.edits.labels[topic];
  }

  merge(topics) {
    const group = [...new Set(topics.flatMap(k => this.members(k)))].sort((a, b) => a - b);
    if (group.length < 2) return;
    const label = topics.map(k => this.edits.labels[this.group(k)]).find(Boolean);
    this.edits.merge = [...this.edits.merge.filter(each => !each.some(k => group.includes(k))), group];
    for (const k of group) delete this.edits.labels[k];
    this.edits.hide = this.edits.hide.filter(k => !group.includes(k));
    if (label) this.edits.labels[group[0]] = label;
  }

  split(topic) {
    this.edits.merge = this.edits.merge.filter(each => !each.includes(topic));
  }

  toggleHidden(topic) {
    this.edits.hide = this.hidden(topic) ? this.edits.hide.filter(k => k !== topic) : [...this.edits.hide, topic];
  }

  get edited() {
    return Boolean(Object.keys(this.edits.labels).length + this.edits.merge.length + this.edits.hide.length);
  }

  // A hidden group is written as its members, each hidden: a topic is either merged or hidden.
  toFile() {
    const hidden = this.edits.hide.flatMap(k => this.members(k));
    const labels = Object.entries(this.edits.labels).filter(([topic]) => !hidden.includes(Number(topic)));
    return {
      format: "tf_vmf topic edits", version: 1, num_topics: this.topics.length, fingerprint: this.fingerprint,
      labels: Object.fromEntries(labels), merge: this.edits.merge.filter(each => !each.some(k => hidden.includes(k))),
      hide: hidden.sort((a, b) => a - b),
    };
  }

  // What is wrong with a file of edits; without a fault they are taken.
  fromFile(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch {
      return "This file is no JSON.";
    }
    const isObject = file && typeof file === "object" && !Array.isArray(file), other = (name, right) => name in file && file[name] !== right;
    if (!isObject || other("format", "tf_vmf topic edits") || other("version", 1) || !(file.labels || file.merge || file.hide)) return "This file holds no edits of topics.";
    if (other("fingerprint", this.fingerprint) || other("num_topics", this.topics.length)) return "These are edits of other topics.";
    const isTopic = k => Number.isInteger(k) && k >= 0 && k < this.topics.length;
    const merge = file.merge ?? [], hide = file.hide ?? [], labels = file.labels ?? {};
    if (![...merge.flat(), ...hide, ...Object.keys(labels).map(Number)].every(isTopic)) return "These edits name topics that do not exist.";
    this.edits = { labels: {}, merge: [], hide: [] };
    for (const group of merge) this.merge(group);
    for (const [topic, label] of Object.entries(labels)) this.edits.labels[this.group(Number(topic))] = String(label);
    this.edits.hide = [...new Set(hide.map(k => this.group(k)))];
    return "";
  }
}

const sum = values => values.reduce((a, b) => a + b, 0);
const capital = text => text[0].toUpperCase() + text.slice(1);
const trimmed = word => word.replace(/^[^\p{L}\p{M}\p{N}_]+|[^\p{L}\p{M}\p{N}_]+$/gu, "");
const count = number => number.toLocaleString("en-US");
