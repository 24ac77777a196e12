// The selected topic: its words as bars with a slider for the relevance, its texts, and its share over time and per class.

const PANEL_WORDS = 10;
const PANEL_TEXTS = 20;

// Words by relevance: weight * log p(w|topic) + (1 - weight) * log(p(w|topic) / p(w)).
function byRelevance(words, weight) {
  const score = ({ p, overall }) => Math.log(p) - (1 - weight) * Math.log(overall);
  return [...words].sort((a, b) => score(b) - score(a));
}

function wordBars(words, topic) {
  const longest = Math.max(...words.map(each => each.p));
  const bar = ({ p, overall }) => make("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    make("rect", { class: "topic", height: 10, width: (100 * p) / longest }),
    make("rect", { class: "overall", y: 6, height: 4, width: Math.min(100, (100 * overall) / longest) }));
  return make("ol", { class: `bars k${topic}` }, ...words.map(each => make("li", {},
    make("span", { class: "word" }, each.word), bar(each), make("span", { class: "number" }, percent(each.p)), make("span", { class: "number soft" }, percent(each.overall)))));
}

class TopicPanel {
  constructor(data, state) {
    Object.assign(this, { data, state });
    this.weight = data.relevance_weight;
    this.texts = "typical";
    this.element = make("section", { class: "panel", "aria-label": `Selected ${data.topic_noun}` });
  }

  draw() {
    const { data, state } = this;
    const parts = state.text != null ? [this.chosenText()] : [];
    if (state.found) parts.push(this.found());
    if (state.selected != null) parts.push(...this.topic(state.selected));
    if (!parts.length) parts.push(make("p", { class: "soft" }, `Choose a ${data.topic_noun} on the map or in the list to see its words and ${data.texts}.`));
    this.element.replaceChildren(...parts);
  }

  topic(topic) {
    const { data } = this, members = data.members(topic);
    const together = members.map(k => data.topics[k].coherence).filter(value => value != null);
    const facts = [`${count(data.size(topic))} of ${count(data.num_texts - data.num_unknown)} ${data.texts} (${percent(data.size(topic) / Math.max(1, data.num_texts - data.num_unknown))})`];
    if (together.length && data.window) facts.push(`words that belong together: ${together.map(value => value.toFixed(2)).join(" and ")} (0 chance, 1 always; ${data.window})`);
    if (members.length > 1) facts.push(`merged from ${members.join(", ")}`);
    if (data.hidden(topic)) facts.push("hidden");
    return [
      make("h3", { class: `k${topic}` }, make("span", { class: "swatch" }), data.name(topic)),
      make("p", { class: "soft facts" }, facts.join(" · ")),
      this.words(topic), this.changes(topic), this.examples(topic),
      ...["times", "classes"].filter(kind => data[kind]).map(kind => this.groups(kind, topic)),
    ];
  }

  words(topic) {
    const { data } = this, words = data.words(topic);
    const list = make("div", {}, wordBars(byRelevance(words, this.weight).slice(0, PANEL_WORDS), topic));
    const shown = make("output", {}, this.weight.toFixed(2));
    const slider = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: this.weight, "aria-label": `Order of words: from 0, rare outside the ${data.topic_noun}, to 1, most frequent in it` });
    slider.addEventListener("input", () => {
      this.weight = Number(slider.value);
      shown.textContent = this.weight.toFixed(2);
      list.replaceChildren(wordBars(byRelevance(words, this.weight).slice(0, PANEL_WORDS), topic));
    });
    const rows = () => [[data.topic_noun, "word", `share_in_${data.topic_noun}`, "share_overall"], ...byRelevance(words, this.weight).map(each => [topic, each.word, each.p, each.overall])];
    return make("div", { class: "words" },
      make("h4", {}, "Words"), list,
      make("div", { class: "weight" }, make("div", { class: "line" }, make("span", { class: "soft" }, `rare outside it`), slider, make("span", { class: "soft" }, `frequent in it`), shown)),
      make("p", { class: "soft small" }, `Wide bar and first number: share of the word in the ${data.topic_noun}; thin bar and second number: in all ${data.texts}.`),
      make("div", { class: "tools" }, plainButton("CSV", () => downloadCsv(`words of ${data.topic_noun} ${topic}`, rows()), { "aria-label": `Save as CSV: words of ${data.topic_noun} ${topic}` })));
  }

  changes(topic) {
    const { data, state } = this, members = data.members(topic);
    const field = make("input", { type: "text", value: data.label(topic), "aria-label": `Name of ${data.topic_noun} ${topic}`, maxlength: 80 });
    const rename = event => {
      event.preventDefault();
      state.edit(() => data.rename(topic, field.value));
    };
    const others = data.groups.filter(k => k !== topic).sort((a, b) => data.similarityOf(topic, b) - data.similarityOf(topic, a));
    const choice = make("select", { "aria-label": `${capital(data.topic_noun)} to merge with` }, ...others.map(k => make("option", { value: k }, data.name(k))));
    return make("details", { class: "changes" }, make("summary", {}, "Rename, merge, hide"),
      make("form", { class: "tools", onsubmit: rename }, field, make("button", { type: "submit", class: "plain" }, "Rename")),
      ...(others.length ? [make("div", { class: "tools" }, choice, plainButton("Merge", () => state.edit(() => data.merge([topic, Number(choice.value)]))))] : []),
      make("div", { class: "tools" },
        ...(members.length > 1 ? [plainButton("Split again", () => state.edit(() => data.split(topic)))] : []),
        plainButton(data.hidden(topic) ? "Show again" : "Hide", () => state.edit(() => data.toggleHidden(topic)))));
  }

  examples(topic) {
    const { data } = this;
    const rows = kind => {
      const lists = data.members(topic).map(k => data.topics[k][kind]);
      return lists[0].flatMap((_, i) => lists.map(list => list[i])).filter(row => row != null);
    };
    const list = make("ol", { class: "examples" }, ...rows(this.texts).map(row => this.item(row)));
    const choose = kind => plainButton(capital(kind), () => {
      this.texts = kind;
      this.draw();
      this.element.querySelector(`[data-texts=${kind}]`).focus();
    }, { "aria-pressed": this.texts === kind, "data-texts": kind });
    return make("div", {}, make("h4", {}, capital(data.texts)), make("div", { class: "tools" }, choose("typical"), choose("diverse")), list);
  }

  item(row) {
    const place = this.data.places[row];
    return make("li", {}, make("button", { type: "button", onclick: () => this.state.choose(place) },
      make("b", {}, this.data.title(place)), make("span", { class: "clip" }, this.data.text(place) || "–")));
  }

  groups(kind, topic) {
    const { data } = this, { name, values, counts } = data[kind];
    const members = data.members(topic);
    const shares = counts.map(row => wilson(sum(members.map(k => row[k])), sum(row)));
    const heading = make("h4", {}, kind === "times" ? `Share per ${name}` : `Share of the ${data.texts} of each ${name}`);
    if (kind === "times")
      return make("div", {}, heading, lineChart(values, [{ topic, name: data.name(topic), shares }], { width: 340, height: 170, label: `Share of ${data.name(topic)} per ${name}, with 95% intervals` }));
    const order = values.map((_, i) => i).sort((a, b) => shares[b].share - shares[a].share).slice(0, 12);
    const most = Math.max(...shares.map(each => each.share)) || 1;
    const line = i => make("li", {}, make("span", { class: "word" }, values[i]),
      make("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, make("rect", { class: "topic", height: 10, width: (100 * shares[i].share) / most })),
      make("span", { class: "number" }, percent(shares[i].share)));
    return make("div", {}, heading, make("ol", { class: `bars two k${topic}` }, ...order.map(line)));
  }

  chosenText() {
    const { data, state } = this, place = state.text, row = data.arrays.rows[place], topic = data.group(data.topicOf(row));
    const facts = ["classes", "times"].filter(kind => data.arrays[`of_${kind}`]?.[row] >= 0).map(kind => `${data[kind].name}: ${data[kind].values[data.arrays[`of_${kind}`][row]]}`);
    return make("div", { class: "chosen-text" }, make("h3", {}, data.title(place)),
      make("p", { class: "soft facts" }, [data.titled ? `${data.noun} ${row}` : "", data.name(topic), ...facts, ...data.facts(place)].filter(Boolean).join(" · ")),
      make("p", {}, data.text(place) || "–"), plainButton("Close", () => state.choose(null), { "aria-label": `Close this ${data.noun}` }));
  }

  found() {
    const { data, state } = this, { rows, words, unknown } = state.found;
    const shown = rows.filter(row => data.places[row] >= 0).slice(0, PANEL_TEXTS);
    const top = data.groups.map(topic => [topic, state.found.number(topic)]).filter(each => each[1]).sort((a, b) => b[1] - a[1]).slice(0, 6);
    const notes = [];
    if (unknown.length) notes.push(data.complete
      ? `Not among the words of the model, found in the ${data.texts} themselves: ${unknown.join(", ")}.`
      : `Not among the words of the model: ${unknown.join(", ")}. Searched in the first ${data.longest} characters of the ${count(data.shown)} ${data.texts} of the map.`);
    return make("div", { class: "hits" },
      make("h3", {}, `${count(rows.length)} ${rows.length === 1 ? data.noun : data.texts} with ${words.join(" and ")}`),
      ...notes.map(note => make("p", { class: "soft small" }, note)),
      make("ul", { class: "chips" }, ...top.map(([topic, number]) => make("li", {}, plainButton(`${data.name(topic)} (${count(number)})`, () => state.select(topic))))),
      make("ol", { class: "examples" }, ...shown.map(row => this.item(row))),
      ...(rows.length > shown.length ? [make("p", { class: "soft small" }, `The first ${shown.length} are shown.`)] : []));
  }
}
