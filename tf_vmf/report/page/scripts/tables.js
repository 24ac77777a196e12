// Tables that sort by a click on a heading (ascending, descending, as it was) and are saved as CSV as they stand.
{
  const textOf = cell => cell.textContent.trim();

  // The first number of a cell, as of "1,234 (5.6%)"; NaN where there is none.
  const numberOf = text => parseFloat((text.replaceAll(",", "").match(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i) || [NaN])[0]);

  function sortRows(rows, column, numeric, sign) {
    const value = row => (row.cells[column] ? textOf(row.cells[column]) : "");
    const compare = numeric
      ? (a, b) => sign * (numberOf(value(a)) - numberOf(value(b)))
      : (a, b) => sign * value(a).localeCompare(value(b), "en", { numeric: true });
    const missing = numeric ? row => Number.isNaN(numberOf(value(row))) : row => value(row) === "";
    const known = rows.filter(row => !missing(row));
    return [...known.sort(compare), ...rows.filter(missing)];
  }

  function addSorting(table) {
    const body = table.tBodies[0], original = [...body.rows];
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      if (!textOf(heading)) return;
      const button = make("button", { type: "button" }, ...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.getAttribute("aria-sort") || "none"];
        for (const each of headings) each.removeAttribute("aria-sort");
        if (next === "none") return body.append(...original);
        heading.setAttribute("aria-sort", next);
        const numeric = heading.classList.contains("number");
        body.append(...sortRows(original, column, numeric, next === "ascending" ? 1 : -1));
      });
    });
  }

  for (const table of document.querySelectorAll("table")) {
    const scroll = table.closest(".scroll"), name = scroll.getAttribute("aria-label");
    // The Tab key stops at what scrolls alone.
    new ResizeObserver(() => (scroll.tabIndex = scroll.scrollWidth > scroll.clientWidth ? 0 : -1)).observe(scroll);
    const section = table.closest("section").querySelector("h2").textContent;
    if (table.classList.contains("sortable") && table.tBodies[0].rows.length > 1) addSorting(table);
    const save = () => downloadCsv(`${section} ${name}`, [...table.rows].map(row => [...row.cells].map(textOf)));
    const button = plainButton("CSV", save, { "aria-label": `Save as CSV: ${name}` });
    scroll.after(make("div", { class: "tools" }, button));
  }
}
