// A to-do list by Express, as one would write it, and one line that makes it live.
// node examples/express/start.js [port]
import express from "express";
import { attach } from "rocket-rest/node";

const app = express();
app.use(express.json());

let lastId = 2;
let tasks = [
  { id: 1, title: "Read the proposal", done: true },
  { id: 2, title: "Try it", done: false },
];

app.get("/tasks", (request, response) => {
  const { done } = request.query;
  response.json(done === undefined ? tasks : tasks.filter((task) => String(task.done) === done));
});

app.get("/tasks/:id", (request, response) => {
  const task = tasks.find(({ id }) => id === Number(request.params.id));
  if (task) response.json(task);
  else response.sendStatus(404);
});

app.post("/tasks", (request, response) => {
  lastId += 1;
  const task = { id: lastId, title: String(request.body?.title ?? ""), done: false };
  tasks = [...tasks, task];
  response.status(201).location(`/tasks/${task.id}`).json(task);
});

app.patch("/tasks/:id", (request, response) => {
  tasks = tasks.map((task) =>
    task.id === Number(request.params.id) ? { ...task, ...request.body, id: task.id } : task,
  );
  response.redirect(303, `/tasks/${request.params.id}`);
});

app.delete("/tasks/:id", (request, response) => {
  tasks = tasks.filter(({ id }) => id !== Number(request.params.id));
  response.sendStatus(204);
});

const server = app.listen(Number(process.argv[2] ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/tasks`);
});

attach(server); // This line.
