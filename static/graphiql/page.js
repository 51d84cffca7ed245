"use strict";
// Starts GraphiQL with this page's address as the API.

const root = document.getElementById("graphiql");

// Read before every call, because signing in again elsewhere replaces it.
function csrfToken() {
  const cookie = document.cookie.split("; ").find((each) => each.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : "";
}

async function ask(parameters) {
  const answer = await fetch(root.dataset.url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(parameters),
  });
  return answer.json();
}

const logo = React.createElement(
  GraphiQL.Logo,
  null,
  React.createElement("a", { href: root.dataset.home, className: "graphiql-logo-link" }, "Lastgood"),
);
// API keys are not typed in here: they would stay in the browser.
const page = React.createElement(
  GraphiQL,
  { fetcher: ask, isHeadersEditorEnabled: false, defaultQuery: root.dataset.query },
  logo,
);
ReactDOM.createRoot(root).render(page);
