// The filter over the records. Without it the page shows the first ones.
"use strict";
(() => {
  const source = document.getElementById("rows");
  if (!source) return;
  const rows = JSON.parse(source.textContent);
  const [form, shown, more] = [document.querySelector(".filter"), document.getElementById("shown"), document.getElementById("more")];
  const body = document.querySelector(".records tbody");
  const STEP = 100;
  const COLUMN = { fault: 1, action: 3, outcome: 4 };
  let found = rows;
  let count = STEP;

  const line = (cells) => {
    const row = document.createElement("tr");
    for (const text of cells) row.appendChild(document.createElement("td")).textContent = text;
    return row;
  };
  const show = () => {
    body.replaceChildren(...found.slice(0, count).map(line));
    const some = found.length > count ? `${count} of ` : "";
    shown.textContent = `${some}${found.length} ${found.length === 1 ? "record" : "records"}`;
    more.hidden = found.length <= count;
  };
  const filter = () => {
    const wanted = new FormData(form);
    const text = wanted.get("text").trim().toLowerCase();
    found = rows.filter(
      (cells) =>
        Object.entries(COLUMN).every(([name, column]) => !wanted.get(name) || cells[column] === wanted.get(name)) &&
        (!text || cells.some((cell) => cell.toLowerCase().includes(text))),
    );
    count = STEP;
    show();
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    count += STEP;
    show();
  });
  form.hidden = false;
  // A browser that comes back to the page fills the form again.
  filter();
})();
