// A to-do list as a function from Request to Response: what Bun, Deno, Workers and Hono serve.

let lastId = 2;
let tasks = [
  { id: 1, title: "Read the proposal", done: true },
  { id: 2, title: "Try it", done: false },
];

function find(done) {
  return done === null ? tasks : tasks.filter((task) => String(task.done) === done);
}

async function create(request) {
  const { title = "" } = await request.json();
  lastId += 1;
  const task = { id: lastId, title: String(title), done: false };
  tasks = [...tasks, task];
  return Response.json(task, { status: 201, headers: { Location: `/tasks/${task.id}` } });
}

async function update(request, id) {
  const { done } = await request.json();
  tasks = tasks.map((task) => (task.id === id ? { ...task, done: Boolean(done) } : task));
  return Response.json(tasks.find((task) => task.id === id));
}

/** The application. */
export async function fetchTasks(request) {
  const { pathname, searchParams } = new URL(request.url);
  const id = Number(/^\/tasks\/(\d+)$/.exec(pathname)?.[1]);
  const task = tasks.find((one) => one.id === id);
  if (pathname === "/tasks" && request.method === "GET") return Response.json(find(searchParams.get("done")));
  if (pathname === "/tasks" && request.method === "POST") return create(request);
  if (task && request.method === "GET") return Response.json(task);
  if (task && request.method === "PATCH") return update(request, id);
  return new Response("There is nothing here.", { status: 404 });
}
