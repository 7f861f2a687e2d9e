"use strict";

const find = (id) => document.getElementById(id);
const pounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const whole = new Intl.NumberFormat("en-GB");
const money = (mills) => pounds.format(mills / 1000);

// Elements are built, never parsed from text: what the shop's data holds stays data.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.onclick = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail || answer.title);
  return answer;
}

function post(path, body, key) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": `"${key}"` },
    body: JSON.stringify(body),
  });
}

// crypto.randomUUID needs a secure context, which 127.0.0.1 is and another address is not.
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0")).join("");

// --- what was sold -------------------------------------------------------------------------------

function showMonths(months) {
  const most = Math.max(1, ...months.map((month) => month.mills));
  find("months").replaceChildren(...months.map((month) => {
    const bar = element("i", { style: `height:${Math.max(2, (170 * month.mills) / most)}px` });
    const title = `${money(month.mills)}, ${whole.format(month.units)} units`;
    const value = `${pounds.format(Math.round(month.mills / 1e6)).replace(/\.00$/, "")}k`;
    return element("div", { class: "column", title }, value, bar,
      element("span", {}, month.month));
  }));
}

function showCountries(countries) {
  const sorted = [...countries].sort((left, right) => right.mills - left.mills);
  const most = Math.max(1, ...sorted.map((country) => country.mills));
  find("countries").replaceChildren(...sorted.map((country) => {
    const width = Math.max(0, (100 * country.mills) / most);
    return element("div", { class: "bar" }, element("span", {}, country.country),
      element("i", { style: `width:${width}%` }), element("b", {}, money(country.mills)));
  }));
}

async function showSales() {
  const sales = await ask("/api/sales");
  showMonths(sales.months);
  showCountries(sales.countries);
  find("total-sales").textContent = money(sales.total_mills);
  find("total-units").textContent = whole.format(sales.total_units);
  find("total-orders").textContent = whole.format(sales.orders);
}

// --- orders --------------------------------------------------------------------------------------

let opened = null;

function stepsRow(order) {
  const steps = order.steps.map((step) => {
    const state = element("span", { class: `status ${step.state}` }, `${step.name}: ${step.state}`);
    return element("span", { class: "step", title: step.detail || "" }, state);
  });
  const what = order.saga ? `Saga ${order.saga}` : "No saga: a document of its own";
  const reason = order.reason ? element("p", { class: "quiet" }, order.reason) : "";
  return element("tr", {}, element("td", { colspan: "6" }, element("div", { class: "quiet" }, what),
    reason, element("div", { class: "steps" }, ...steps)));
}

function orderRow(order) {
  const toggle = () => {
    opened = opened === order.order_id ? null : order.order_id;
    showOrders().catch(() => {});
  };
  return element("tr", { class: "order", onclick: toggle },
    element("td", {}, element("button", { "aria-expanded": `${opened === order.order_id}` },
      order.order_id)),
    element("td", {}, order.placed_at.slice(0, 16).replace("T", " ")),
    element("td", {}, order.country),
    element("td", { class: "number" }, whole.format(order.lines)),
    element("td", { class: "number" }, money(order.mills)),
    element("td", {}, element("span", { class: `status ${order.status}` }, order.status)));
}

async function showOrders() {
  const { orders } = await ask("/api/orders?limit=12");
  const rows = [];
  for (const order of orders) {
    rows.push(orderRow(order));
    if (order.order_id === opened) {
      rows.push(stepsRow(await ask(`/api/orders/${encodeURIComponent(order.order_id)}`)));
    }
  }
  const held = document.activeElement?.closest?.("#orders") && document.activeElement.textContent;
  find("orders").replaceChildren(...rows);
  const buttons = [...find("orders").querySelectorAll("button")];
  if (held) buttons.find((button) => button.textContent === held)?.focus();
}

// --- stock and views -----------------------------------------------------------------------------

async function showStock() {
  const sku = encodeURIComponent(find("stock-search").value.trim());
  const { stock } = await ask(`/api/stock?limit=50&sku=${sku}`);
  find("stock").replaceChildren(...stock.map((row) => element("tr", {},
    element("td", {}, row.sku),
    ...[row.net_units, row.on_hand, row.reserved].map(
      (value) => element("td", { class: "number" }, whole.format(value))))));
}

async function showViews() {
  const answer = await ask("/api/views");
  find("store").textContent = answer.store;
  find("total-events").textContent = whole.format(answer.events);
  find("views").replaceChildren(...answer.views.map((view) => element("tr", {},
    element("td", {}, view.view), element("td", { class: "number" }, `${view.version}`),
    element("td", { class: "number" },
      view.behind === null ? "unknown" : whole.format(view.behind)),
    element("td", {}, element("span", { class: `status ${view.state}`, title: view.reason },
      view.state)))));
  const behind = answer.views.reduce((sum, view) => sum + (view.behind ?? 1), 0);
  const badge = find("freshness");
  badge.textContent = behind === 0 ? "all views up to date"
    : `${whole.format(behind)} events behind`;
  badge.className = behind === 0 ? "badge good" : "badge";
}

// --- a cart, and an order of one's own -----------------------------------------------------------

const products = new Map();
let cartId = newKey();
let adding = null;  // the key of what was not answered yet: asked again, it happens once

function showCart(cart) {
  find("check-out").disabled = cart.items === 0;
  find("cart").className = "cart";
  find("cart").textContent = cart.items === 0 ? "The cart is empty."
    : `${whole.format(cart.items)} units for ${money(cart.total_mills)}`;
}

function showProblem(error) {
  find("cart").className = "cart problem";
  find("cart").textContent = error.message;
}

async function addItem(event) {
  event.preventDefault();
  const sku = products.get(find("sku").value) ?? find("sku").value.trim();
  const quantity = Number(find("quantity").value);
  const wanted = JSON.stringify([cartId, sku, quantity]);
  if (adding?.wanted !== wanted) adding = { wanted, key: newKey() };
  try {
    showCart(await post(`/api/carts/${cartId}/items`, { sku, quantity }, adding.key));
    adding = null;
    find("sku").value = "";
  } catch (error) {
    showProblem(error);
  }
}

async function checkOut() {
  try {
    const order = await post(`/api/carts/${cartId}/check-out`, {}, `check-out-${cartId}`);
    find("placed").textContent = `Order ${order.order_id} is placed.`;
    opened = order.order_id;
    cartId = newKey();
    showCart({ items: 0 });
    await showOrders();
  } catch (error) {
    showProblem(error);
  }
}

// Offers what is there; a code that is not may still be typed in, to see an order undone.
async function loadProducts() {
  const answer = await ask("/api/products");
  const there = answer.products.filter((product) => product.on_hand > 0);
  find("products").replaceChildren(...there.map((product) => {
    const price = `${money(product.price_mills)}, ${whole.format(product.on_hand)} on hand`;
    const text = `${product.description} · ${product.sku} · ${price}`;
    products.set(text, product.sku);
    return element("option", { value: text });
  }));
}

// --- again and again -----------------------------------------------------------------------------

let last = 0;

async function refresh() {
  try {
    await Promise.all([showSales(), showOrders(), showStock(), showViews()]);
    last = Date.now();
  } catch {
    const badge = find("freshness");
    const seconds = Math.round((Date.now() - last) / 1000);
    badge.textContent = last === 0 ? "no answer" : `no answer for ${seconds} s`;
    badge.className = "badge bad";
  }
  setTimeout(refresh, 2000);
}

find("add").addEventListener("submit", addItem);
find("check-out").addEventListener("click", checkOut);
find("stock-search").addEventListener("input", () => showStock().catch(() => {}));
loadProducts().catch(() => {});
refresh();
