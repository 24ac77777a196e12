// How topics relate: the tree with a cut, classes by topics, similarities, and lines over time.

class TopicTree {
  constructor(data, state) {
    Object.assign(this, { data, state });
    this.cut = data.topics.length;
    this.element = make("div", { class: "relation" });
  }

  // Clusters of topics after the first merges of the tree, as lists of topics.
  clusters(left) {
    const { topics, tree } = this.data, members = topics.map(each => [each.number]), gone = new Set();
    tree.slice(0, topics.length - left).forEach(([a, b]) => {
      members.push([...members[a], ...members[b]]);
      gone.add(a).add(b);
    });
    return members.filter((_, i) => !gone.has(i)).map(each => [...each].sort((a, b) => a - b));
  }

  draw() {
    const { data, state } = this, { topics, tree } = data, size = topics.length;
    const width = Math.min(640, room(this.element)), letters = width < 500 ? 20 : 34, left = 7.2 * letters + 8;
    const order = this.order(), line = 20, height = size * line + 34;
    const heights = [0, ...tree.map(row => row[2])], high = Math.max(0.05, ...heights), low = Math.min(high, ...heights.slice(1));
    // Merges at large distances alone would stand in a heap at the right: the axis begins at half their range below the first.
    const base = Math.max(0, low - Math.max(0.05, (high - low) / 2));
    const x = value => left + (width - left - 14) * Math.max(0, (value - base) / (1.04 * (high - base)));
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart tree", role: "img", "aria-label": `Tree of ${data.plural}: the farther to the right two of them join, the less alike they are` });
    const ys = new Map(), xs = new Map();
    order.forEach((topic, i) => {
      ys.set(topic, 20 + i * line);
      xs.set(topic, left);
      const label = data.name(topic), group = data.group(topic);
      const text = make("text", { class: `end k${topic}${group === state.selected ? " chosen" : ""}`, x: left - 8, y: 24 + i * line }, label.length > letters ? `${label.slice(0, letters - 1)}…` : label);
      text.addEventListener("click", () => state.select(group));
      svg.append(text);
    });
    tree.forEach(([a, b, height_], step) => {
      const node = size + step, to = x(height_), [ya, yb] = [ys.get(a), ys.get(b)];
      const kept = step >= size - this.cut;
      svg.append(make("path", { class: kept ? "branch" : "branch joined", d: `M${xs.get(a)} ${ya}H${to}V${yb}H${xs.get(b)}` }));
      xs.set(node, to);
      ys.set(node, (ya + yb) / 2);
    });
    const step = size - this.cut, at = step < tree.length ? (x(heights[step]) + x(heights[step + 1])) / 2 : width - 8;
    const cut = make("path", { class: "cut", d: `M${at} 4V${height - 14}` });
    svg.append(cut, make("path", { class: "handle", d: `M${at - 12} 4V${height - 14}` , "stroke-width": 24 }));
    this.drag(svg, width, x, heights);
    const clusters = this.clusters(this.cut).filter(each => each.length > 1);
    const slider = make("input", { type: "range", min: 1, max: size, step: 1, value: this.cut, "aria-label": `Number of ${data.plural} after the cut` });
    slider.addEventListener("input", () => this.setCut(Number(slider.value), true));
    const merge = plainButton(`Merge into ${this.cut} ${this.cut === 1 ? data.topic_noun : data.plural}`, () => state.edit(() => {
      data.edits.merge = [];
      for (const each of clusters) data.merge(each);
    }));
    if (!clusters.length) merge.disabled = true;
    this.element.replaceChildren(
      make("p", {}, `Drag the line: what joins to its left becomes one ${data.topic_noun}.`),
      make("div", { class: "tools" }, make("label", {}, make("span", {}, `${this.cut} of ${size} ${data.plural} left`), slider), merge),
      make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": `Tree of ${data.plural}` }, svg),
      make("div", { class: "tools" }, ...saveButtons(`tree of ${data.plural}`, () => standalone(svg))));
  }

  setCut(cut, focus = false) {
    this.cut = cut;
    this.draw();
    if (focus) this.element.querySelector("input").focus();
  }

  drag(svg, width, x, heights) {
    const size = this.data.topics.length;
    svg.querySelector(".handle").addEventListener("pointerdown", event => {
      event.preventDefault();
      const box = svg.getBoundingClientRect();
      const move = moved => {
        const place = ((moved.clientX - box.left) / box.width) * width;
        const joined = heights.slice(1).filter(value => x(value) < place).length;
        if (size - joined !== this.cut) this.setCut(size - joined);
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
    });
  }

  // Topics in the order of the leaves.
  order() {
    const { topics, tree } = this.data;
    const leaves = node => (node < topics.length ? [node] : [...leaves(tree[node - topics.length][0]), ...leaves(tree[node - topics.length][1])]);
    return tree.length ? leaves(topics.length + tree.length - 1) : topics.map(each => each.number);
  }
}

// Share of each topic in each class, a row per class.
function drawClasses(element, data, state) {
  const { name, values, counts, num_values } = data.classes, rows = data.countsOf("classes"), topics = data.groups;
  const most = Math.max(...rows.flatMap((row, i) => row.map(value => value / (sum(counts[i]) || 1)))) || 1;
  const svg = matrixChart(values, topics.map(k => data.name(k)), {
    room: room(element),
    value: (i, j) => rows[i][j] / (sum(counts[i]) || 1) / most,
    title: (i, j) => `${values[i]}, ${data.name(topics[j])}: ${count(rows[i][j])} of ${count(sum(counts[i]))} ${data.texts}`,
    choose: (_, j) => state.select(topics[j]),
    label: `Share of each ${data.topic_noun} in each ${name}`,
  });
  showPicture(element, `${name} and ${data.plural}`, `A row per ${name}, a column per ${data.topic_noun}: the stronger the color, the larger the share of the ${name}'s ${data.texts}; the strongest stands for ${percent(most)}.${values.length < num_values ? ` The ${values.length} most frequent of ${num_values} ${name}s are shown.` : ""}`, svg, () =>
    [[name, ...topics.map(k => data.name(k))], ...values.map((value, i) => [value, ...rows[i]])]);
}

function drawSimilarity(element, data, state) {
  const topics = new TopicTree(data, state).order().filter(k => data.groups.includes(k));
  const cosine = (i, j) => (i === j ? 1 : data.similarityOf(topics[i], topics[j]));
  const svg = matrixChart(topics.map(k => data.name(k)), topics.map(k => data.name(k)), {
    room: room(element),
    value: (i, j) => Math.max(0, cosine(i, j)),
    title: (i, j) => `${data.name(topics[i])} and ${data.name(topics[j])}: ${cosine(i, j).toFixed(2)}`,
    choose: i => state.select(topics[i]),
    label: `Similarity of ${data.plural}`,
  });
  showPicture(element, `similarity of ${data.plural}`, `The stronger the color, the nearer two ${data.plural} are to each other: cosines of their centers, no color at 0 and below. They stand in the order of the tree.`, svg, () =>
    [["", ...topics.map(k => data.name(k))], ...topics.map((a, i) => [data.name(a), ...topics.map((_, j) => cosine(i, j).toFixed(4))])]);
}

// Lines of the largest topics, and of the selected one.
function drawTimes(element, data, state) {
  const { name, values, counts } = data.times, topics = data.groups.filter(k => !data.hidden(k));
  const largest = [...topics].sort((a, b) => data.size(b) - data.size(a)).slice(0, 6);
  if (state.selected != null && topics.includes(state.selected) && !largest.includes(state.selected)) largest.push(state.selected);
  const lines = largest.map(topic => ({
    topic, name: data.name(topic), shares: counts.map(row => wilson(sum(data.members(topic).map(k => row[k])), sum(row))),
  }));
  const width = Math.min(640, room(element));
  const svg = lineChart(values, lines, { width, label: `Share of ${data.plural} per ${name}` });
  const legend = make("ul", { class: "chips" }, ...lines.map(({ topic, name }) => make("li", { class: `k${topic}` }, make("span", { class: "swatch" }), name)));
  showPicture(element, `${data.plural} over time`, `Share of the ${data.texts} of each ${name}: the ${largest.length} largest ${data.plural}, with the selected one.`, make("div", {}, svg, legend), () =>
    [[name, ...topics.map(k => data.name(k))], ...values.map((value, i) => [value, ...topics.map(topic => sum(data.members(topic).map(k => counts[i][k])))])]);
}

// Pixels across that a picture can take.
const room = element => Math.max(320, element.clientWidth || 600);

function showPicture(element, name, caption, picture, rows) {
  const svg = picture.matches("svg") ? picture : picture.querySelector("svg");
  element.replaceChildren(make("p", {}, caption), make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": capital(name) }, picture),
    make("div", { class: "tools" }, ...saveButtons(name, () => standalone(svg)), plainButton("CSV", () => downloadCsv(name, rows()), { "aria-label": `Save as CSV: ${name}` })));
}
