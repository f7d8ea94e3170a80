const get = (path) => fetch(`/xiaozhi/${path}`).then((answer) => answer.json());

async function show() {
  const { needs } = await get("health");
  document.getElementById("health").textContent = Object.entries(needs).map(([name, state]) => `${name}: ${state}`).join(", ");
  const { users } = await get("users");
  document.getElementById("users").replaceChildren(
    ...users.map(({ username }) => Object.assign(document.createElement("li"), { textContent: username })),
  );
}

document.getElementById("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const username = new FormData(event.target).get("username");
  await fetch("/xiaozhi/users", { method: "POST", body: JSON.stringify({ username }) });
  await show();
});

show();
