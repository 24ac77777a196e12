// The slider of the relevance: weight * log p(w|topic) + (1 - weight) * log(p(w|topic) / p(w)).
{
  const SHOWN = 10;

  function order(words, weight) {
    const score = words.probabilities.map((p, i) => Math.log(p) - (1 - weight) * Math.log(words.overall[i]));
    return score.map((_, i) => i).sort((a, b) => score[b] - score[a] || a - b);
  }

  function showWords(list, words, weight) {
    const shown = order(words, weight).slice(0, SHOWN);
    const longest = Math.max(...shown.map(i => words.probabilities[i]));
    shown.forEach((i, rank) => {
      const line = list.children[rank];
      line.querySelector(".word").textContent = words.words[i];
      line.querySelector(".topic").setAttribute("width", (100 * words.probabilities[i]) / longest);
      line.querySelector(".overall").setAttribute("width", Math.min(100, (100 * words.overall[i]) / longest));
      const [inTopic, overall] = line.querySelectorAll(".number");
      inTopic.textContent = percent(words.probabilities[i]);
      overall.textContent = percent(words.overall[i]);
    });
  }

  for (const block of document.querySelectorAll(".topics")) {
    const topics = lookUp(block.dataset.path), noun = block.dataset.noun;
    const slider = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: block.dataset.weight });
    const shown = make("output", {}, Number(slider.value).toFixed(2));
    const cards = [...block.querySelectorAll("details")];
    slider.addEventListener("input", () => {
      shown.textContent = Number(slider.value).toFixed(2);
      for (const card of cards)
        showWords(card.querySelector(".bars"), topics[card.dataset.position].by_relevance, Number(slider.value));
    });
    const save = () => {
      const rows = topics.flatMap(topic =>
        order(topic.by_relevance, Number(slider.value)).map(i => [
          topic.number, topic.by_relevance.words[i], topic.by_relevance.probabilities[i], topic.by_relevance.overall[i],
        ]));
      downloadCsv(`words of ${noun}s`, [[noun, "word", `share_in_${noun}`, "share_overall"], ...rows]);
    };
    block.prepend(
      make("div", { class: "weight" },
        make("label", {}, "Relevance weight λ", slider, shown),
        make("div", { class: "ends" }, make("span", {}, `0: words rare outside the ${noun}`), make("span", {}, `1: words most probable in the ${noun}`))),
      make("div", { class: "tools" },
        plainButton("Unfold all", () => cards.forEach(card => (card.open = true))),
        plainButton("Fold all", () => cards.forEach(card => (card.open = false))),
        plainButton("CSV", save, { "aria-label": `Save as CSV: words of ${noun}s, in this order` })));
    for (const card of cards) {
      const show = () => document.dispatchEvent(new CustomEvent("showtopic", { detail: Number(card.dataset.position) }));
      if (document.querySelector(".map .legend[data-kind=topic]"))
        card.append(make("div", { class: "tools" }, plainButton("Show on the map", show, { "aria-label": `Show on the map: ${noun} ${Number(card.dataset.position) + 1}` })));
    }
  }
}
