"use strict";
(() => {
  const { root, prefix, limit, guarded } = document.body.dataset;
  const files = document.getElementById("files");
  const status = document.getElementById("status");
  const say = (text) => { status.textContent = text; };
  const place = (key) => `${root}?key=${encodeURIComponent(key)}`;

  async function put(file, replace) {
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    if (!replace && guarded === "1") headers["If-None-Match"] = "*";
    const answer = await fetch(place(prefix + file.name), { method: "PUT", body: file, headers });
    if (answer.status === 412 && !replace) {
      return confirm(`Replace ${file.name}?`) ? put(file, true) : "kept what was there";
    }
    return answer.ok ? "" : (await answer.text()).trim();
  }

  async function upload(chosen) {
    const [added, failures] = [[...chosen], []];
    files.value = ""; // or the same file could not be chosen again
    if (!added.length || files.disabled) return;
    files.disabled = true;
    for (const [at, file] of added.entries()) {
      say(`Adding ${file.name} (${at + 1} of ${added.length})`);
      let failure = "";
      if (limit && file.size > Number(limit)) failure = "it is too large";
      else failure = await put(file, false).catch(() => "the connection was lost");
      if (failure) failures.push(`${file.name}: ${failure}`);
    }
    files.disabled = false;
    if (failures.length) say(failures.join("\n"));
    else location.reload();
  }

  async function remove(button) {
    const { href, name } = button.dataset;
    if (!confirm(`Delete ${name}?`)) return;
    const answer = await fetch(href, { method: "DELETE" }).catch(() => null);
    if (answer && (answer.ok || answer.status === 404)) {
      const row = button.closest("tr");
      const next = (row.nextElementSibling || row.previousElementSibling)?.querySelector("a");
      row.remove();
      say(`${name} was deleted`);
      (next || document.querySelector("nav a") || document.body).focus();
    } else {
      say(`${name}: ${answer ? (await answer.text()).trim() : "the connection was lost"}`);
    }
  }

  for (const button of document.querySelectorAll("button.delete")) {
    button.addEventListener("click", () => remove(button));
  }
  if (!files) return;
  files.addEventListener("change", () => upload(files.files));
  files.form.addEventListener("submit", (event) => event.preventDefault());
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      document.body.classList.toggle("over", kind === "dragover");
      if (kind === "drop") upload(event.dataTransfer.files);
    });
  }
})();
