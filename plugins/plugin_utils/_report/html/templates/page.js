// Copyright: (c) 2026, the kubenode.connections authors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Makes the page more comfortable; it is whole without. Reads and moves what is there, never writes markup.
(function () {
  "use strict";

  // All words are the page's, in its language.
  var WORDS = document.currentScript.dataset;

  function element(name, text, attributes) {
    var made = document.createElement(name);
    if (text) { made.textContent = text; }
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    return made;
  }

  function select(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
  }

  function copy(code, button) {
    function done() { button.textContent = WORDS.copied; }
    function by_selection() {
      select(code);
      button.textContent = document.execCommand("copy") ? WORDS.copied : WORDS.press;
    }
    if (navigator.clipboard) {
      navigator.clipboard.writeText(code.textContent).then(done, by_selection);
    } else {
      by_selection();
    }
  }

  function copyable(command) {
    var code = command.querySelector("code");
    var button = element("button", WORDS.copy, { type: "button", "aria-label": WORDS.copy + ": " + code.textContent });
    button.addEventListener("click", function () { copy(code, button); });
    command.append(button);
  }

  function key(row, column) {
    var cell = row.cells[column];
    var value = cell.dataset.key !== undefined ? cell.dataset.key : cell.textContent.trim();
    return value !== "" && !isNaN(value) ? Number(value) : value;
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") { return one - other; }
    return String(one).localeCompare(String(other), document.documentElement.lang, { numeric: true });
  }

  function sortable(table, sorted) {
    var body = table.tBodies[0];
    table.classList.add("sortable");
    Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
      var button = element("button", head.textContent, { type: "button" });
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        var rows = Array.from(body.rows).map(function (row) { return { row: row, key: key(row, column) }; });
        rows.sort(function (one, other) { return (down ? -1 : 1) * compare(one.key, other.key); });
        Array.from(table.tHead.rows[0].cells).forEach(function (each) { each.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        rows.forEach(function (each) { body.append(each.row); });
        sorted();
      });
      head.replaceChildren(button);
    });
  }

  // Fewer are seen at a glance.
  var FEW = 3;

  // A search and, where there are several kinds, a button for each, above what they filter. Of more rows than data-most
  // the first are shown until somebody asks for all. A group without a row is not shown, and one that is folded opens
  // while something is looked for.
  function filterable(place) {
    function rows() { return Array.from(place.querySelectorAll(place.dataset.rows)); }
    if (rows().length < FEW) { return function () {}; }
    var groups = Array.from(place.querySelectorAll("[data-group]"));
    var opened = new Map(groups.map(function (group) { return [group, group.open]; }));
    var title = place.closest("section").getAttribute("aria-labelledby");
    var tools = element("div", "", { "class": "tools", role: "search", "aria-labelledby": title });
    var label = element("label", place.dataset.filter);
    var input = element("input", "", { type: "search", autocomplete: "off", spellcheck: "false" });
    var output = element("output", "", { "aria-live": "polite" });
    var more = element("button", "", { type: "button", "class": "more" });
    var texts = new Map(rows().map(function (row) { return [row, text_of(row)]; }));
    var kinds = Array.from(new Set(rows().map(function (row) { return row.dataset.kind; })));
    var chosen = null;
    var most = Number(place.dataset.most) || Infinity;
    var buttons = kinds.length > 1 ? kinds.map(function (kind) {
      var button = element("button", WORDS[kind], { type: "button", "aria-pressed": "false" });
      button.addEventListener("click", function () {
        chosen = chosen === kind ? null : kind;
        show();
      });
      return button;
    }) : [];

    // The group that has the node's name counts, too.
    function text_of(row) {
      var group = row.closest("details.risks");
      return (row.textContent + (group ? " " + group.querySelector("summary").textContent : "")).toLowerCase();
    }

    function show() {
      var words = input.value.toLowerCase().split(/\s+/);
      var fitting = rows().filter(function (row) {
        row.hidden = true;
        return (chosen === null || row.dataset.kind === chosen) &&
          words.every(function (word) { return texts.get(row).indexOf(word) >= 0; });
      });
      fitting.slice(0, most).forEach(function (row) { row.hidden = false; });
      groups.forEach(function (group) {
        group.hidden = !group.querySelector("[data-kind]:not([hidden])");
        if (group.tagName === "DETAILS") {
          group.open = fitting.length < texts.size ? !group.hidden : opened.get(group);
        }
      });
      more.hidden = fitting.length <= most;
      more.textContent = WORDS.all + " " + fitting.length;
      buttons.forEach(function (button, number) {
        button.setAttribute("aria-pressed", String(kinds[number] === chosen));
      });
      output.textContent = fitting.length === texts.size ? "" : fitting.length + " " + WORDS.of + " " + texts.size;
    }

    function all() {
      most = Infinity;
      show();
    }

    input.addEventListener("input", show);
    label.append(input);
    tools.append.apply(tools, [label].concat(buttons, [output]));
    more.addEventListener("click", all);
    window.addEventListener("beforeprint", all);
    place.before(tools);
    place.after(more);
    if (rows().length > most) { show(); } else { more.hidden = true; }
    return show;
  }

  document.querySelectorAll("[data-copy]:not(script)").forEach(copyable);
  document.querySelectorAll("[data-filter]").forEach(function (place) {
    var show = filterable(place);
    place.querySelectorAll(":scope > table").forEach(function (table) { sortable(table, show); });
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (details) { details.open = true; });
  });
}());
