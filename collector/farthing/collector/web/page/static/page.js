// What the page does beyond links and forms. Without this file everything is there as
// tables; with it the page draws charts, keeps its place, and brings itself up to date.
"use strict";
(() => {
  const THEMES = ["system", "light", "dark"];
  const YEAR_S = 31536000;
  const root = document.documentElement;
  const part = (name) => document.querySelector(`[data-page="${name}"]`);

  // ── Theme. A cookie, so that the server's next page has it from its first pixel. ──

  function nameTheme() {
    const button = part("theme");
    if (!button) return;
    button.title = `Theme: ${root.dataset.theme || "system"}`;
    button.setAttribute("aria-label", button.title);
  }

  function nextTheme() {
    const now = THEMES.indexOf(root.dataset.theme || "system");
    const theme = THEMES[(now + 1) % THEMES.length];
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    document.cookie = `farthing_theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
    nameTheme();
  }

  // ── Charts: Vega-Lite in the page, drawn by charts.js. Their colours are CSS. ──

  const drawn = new WeakMap();
  const OPTIONS = {
    actions: false,
    ast: true, // an interpreter instead of eval: the content security policy allows none
    defaultStyle: false, // as do these two: the styles are in page.css
    tooltip: { disableDefaultStyle: true },
    renderer: "svg",
  };

  // As many names of a legend beside each other as have room.
  function fitLegend(spec, width) {
    const encodings = [spec, ...(spec.layer ?? [])].map((layer) => layer.encoding?.color);
    const names = encodings.find((color) => color?.scale?.domain)?.scale.domain ?? [];
    const longest = Math.min(220, 6 * Math.max(0, ...names.map((name) => name.length)));
    spec.config.legend.columns = Math.max(1, Math.floor(width / (longest + 28)));
  }

  async function draw(figure) {
    const view = figure.querySelector(".chart-view");
    const text = figure.querySelector(".chart-spec")?.textContent;
    if (!window.vegaEmbed || !view || !text) return;
    const before = drawn.get(view);
    const now = { text, width: view.clientWidth };
    if (before?.text === text && before.width === now.width) return;
    drawn.set(view, now);
    // A view of its own, shown when it is ready: the old one stays until then.
    const next = document.createElement("div");
    try {
      const spec = JSON.parse(text);
      fitLegend(spec, now.width);
      view.append(next);
      now.finalize = (await window.vegaEmbed(next, spec, OPTIONS)).finalize;
    } catch (error) {
      next.textContent = "This chart could not be drawn; the table below has its numbers.";
      console.error(error);
    }
    if (drawn.get(view) !== now) {
      now.finalize?.(); // a later one is on its way
      next.remove();
      return;
    }
    before?.finalize?.();
    view.replaceChildren(next);
    figure.classList.add("drawn");
  }

  const near = new IntersectionObserver(
    (entries) => entries.forEach((entry) => entry.isIntersecting && draw(entry.target)),
    { rootMargin: "300px" },
  );

  function drawCharts() {
    near.disconnect();
    document.querySelectorAll("figure.chart").forEach((figure) => {
      // Room for what is drawn once it is near, so that nothing below moves then.
      figure.querySelector(".chart-view").style.minHeight = `${figure.dataset.height}px`;
      near.observe(figure);
    });
  }

  // ── Change in place: only what differs, so that scroll, focus, selection and open
  //    details stay. Rows are the same rows if they lead to the same place. ──

  function key(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    const link = node.matches("tbody > tr") ? node.querySelector("a[href]") : null;
    return node.id || node.dataset.panel || link?.getAttribute("href") || "";
  }

  function become(old, fresh) {
    if (old.nodeName !== fresh.nodeName || key(old) !== key(fresh)) {
      old.replaceWith(document.importNode(fresh, true));
    } else if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
    } else if (!old.matches(".chart-view, [data-page]")) {
      becomeAttributes(old, fresh);
      becomeChildren(old, fresh);
    }
  }

  function becomeAttributes(old, fresh) {
    const kept = (name) => name === "open" && old.nodeName === "DETAILS";
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !kept(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !kept(name)) old.setAttribute(name, value);
    }
  }

  function becomeChildren(old, fresh) {
    const keys = new Set([...fresh.children].map(key));
    const known = new Map();
    for (const child of [...old.children]) {
      if (!key(child)) continue;
      if (!keys.has(key(child))) child.remove();
      else known.set(key(child), [...(known.get(key(child)) ?? []), child]);
    }
    let at = old.firstChild; // the first that has no place yet
    for (const wanted of [...fresh.childNodes]) {
      const same = key(wanted) ? known.get(key(wanted))?.shift() : at && !key(at) && at;
      if (!same) {
        old.insertBefore(document.importNode(wanted, true), at);
        continue;
      }
      while (at && at !== same && !key(at)) at = without(at);
      if (at === same) at = at.nextSibling;
      else old.insertBefore(same, at);
      become(same, wanted);
    }
    while (at) at = without(at);
  }

  function without(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  // ── Going to another view of the same page, and to the same view again. ──

  let asking = new AbortController();

  async function fetched(url) {
    asking.abort(); // what was asked before is not wanted any more
    asking = new AbortController();
    const answer = await fetch(url, {
      headers: { Accept: "text/html" },
      cache: "no-cache",
      signal: asking.signal,
    });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
      location.assign(answer.url); // to the login
    }
    if (!answer.ok) throw new Error(`the collector answered ${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function put(fresh) {
    const focused = document.activeElement;
    document.title = fresh.title;
    for (const name of ["header", "main", "footer"]) {
      become(document.querySelector(`body > ${name}`), fresh.querySelector(`body > ${name}`));
    }
    // A row that moved has lost it.
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    drawCharts();
  }

  async function go(url, { push = true } = {}) {
    try {
      const fresh = await fetched(url);
      if (push) history.pushState(null, "", url);
      put(fresh);
      document.querySelectorAll("form").forEach((form) => form.reset());
      succeeded();
    } catch (error) {
      // The browser says what is wrong.
      if (error.name !== "AbortError") location.assign(url);
    }
  }

  function follow(event) {
    const link = event.target.closest("a[href]");
    const { button, ctrlKey, metaKey, shiftKey, altKey } = event;
    if (!link || button || ctrlKey || metaKey || shiftKey || altKey) return;
    if (link.origin !== location.origin || link.pathname !== location.pathname) return;
    if ((link.hash && link.search === location.search) || link.hasAttribute("download")) return;
    event.preventDefault();
    go(link.href);
  }

  function choose(event, form) {
    if (form?.method !== "get" || !form.checkValidity()) return;
    event.preventDefault();
    const chosen = [...new FormData(form)].filter(([, value]) => value !== "");
    go(`${form.action.split("?")[0]}?${new URLSearchParams(chosen)}`);
  }

  // ── Up to date by itself, while somebody looks. ──

  const EVERY_S = [0, 10, 60];
  let timer = 0;
  let updated = new Date();

  const clock = (time) => `${time.toISOString().slice(11, 19)} UTC`;
  const everyS = () => {
    const kept = Number(localStorage.getItem("farthing_refresh_s"));
    return EVERY_S.includes(kept) ? kept : 0;
  };

  function succeeded() {
    updated = new Date();
    say(`Updated ${clock(updated)}`, false);
    later();
  }

  function failed(error) {
    const reason = error instanceof TypeError ? "the collector does not answer" : error.message;
    say(`Not updated since ${clock(updated)}: ${reason}. Tried again every ${everyS()} s.`, true);
    later();
  }

  function say(text, isFailure) {
    const [seen, told] = [part("updated"), part("failure")];
    if (seen) seen.textContent = isFailure ? "" : text;
    // Only a failure is said aloud, and once.
    if (told && told.hidden === isFailure) told.hidden = !isFailure;
    if (told) told.textContent = isFailure ? text : "";
  }

  function later() {
    clearTimeout(timer);
    if (everyS() && !document.hidden) timer = setTimeout(again, everyS() * 1000);
  }

  async function again() {
    try {
      put(await fetched(location.href));
      succeeded();
    } catch (error) {
      if (error.name !== "AbortError") failed(error);
    }
  }

  function looked() {
    const dueMs = updated.getTime() + everyS() * 1000 - Date.now();
    if (everyS() && !document.hidden && dueMs <= 0) again();
    else later();
  }

  function chooseEvery(event) {
    localStorage.setItem("farthing_refresh_s", event.target.value);
    later();
  }

  // ── Start. What needs this file is hidden until it is here. ──

  root.classList.add("scripted"); // what is chosen applies at once: no button for it
  document.querySelectorAll("[data-page][hidden]").forEach((tool) => {
    if (tool.dataset.page !== "failure") tool.hidden = false;
  });
  nameTheme();
  part("theme")?.addEventListener("click", nextTheme);
  const every = part("refresh")?.querySelector("select");
  if (every) every.value = String(everyS());
  every?.addEventListener("change", chooseEvery);
  document.addEventListener("click", follow);
  document.addEventListener("change", (event) => choose(event, event.target.form));
  document.addEventListener("submit", (event) => choose(event, event.target));
  document.addEventListener("visibilitychange", looked);
  window.addEventListener("popstate", () => go(location.href, { push: false }));
  let resized = 0;
  window.addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(drawCharts, 200);
  });
  // After charts.js, which is deferred as this is and comes after it.
  document.addEventListener("DOMContentLoaded", drawCharts);
  succeeded();
})();
