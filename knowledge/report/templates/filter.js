"use strict";
(() => {
  const list = document.getElementById("cases");
  if (!list) return;
  const words = document.getElementById("words");
  const sort = document.getElementById("sort");
  const shown = document.getElementById("shown");
  const cases = Array.from(list.children, (item) => ({
    item,
    text: item.textContent.toLowerCase(),
    sorts: item.dataset.sorts.split(" "),
  }));
  const choose = () => {
    const wanted = words.value.trim().toLowerCase();
    let count = 0;
    for (const { item, text, sorts } of cases) {
      const fits = text.includes(wanted) && (!sort.value || sorts.includes(sort.value));
      item.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} / ${cases.length}`;
  };
  words.addEventListener("input", choose);
  sort.addEventListener("change", choose);
  document.getElementById("filter").hidden = false;
  choose();
})();
