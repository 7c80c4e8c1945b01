import { useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "rocket-rest/client";
import { RocketProvider, useCollection } from "rocket-rest/react";
import { Conversation } from "./conversation.tsx";
import { Avatar, Badge } from "./parts.tsx";
import "./style.css";

type Room = { id: number; name: string; topic: string };

// In the storage, what waits for the network outlives a reload.
const client = createClient(undefined, { storage: localStorage, tabs: true });

// The server knows no users: each window is somebody else.
sessionStorage.id ??= crypto.randomUUID();
sessionStorage.name ??= ["Ada", "Björk", "Chiara", "Esi", "Farid", "Hana", "Iker"][Math.floor(Math.random() * 7)];

function App() {
  const { rows: rooms, create, keyOf } = useCollection<Room>("/rooms", { order: "name" });
  const [name, setName] = useState<string>(sessionStorage.name);
  const [notice, setNotice] = useState("");
  const room = rooms.find((one) => one.name === decodeURIComponent(location.hash.slice(1))) ?? rooms[0];
  const attempt = (write: Promise<unknown>) =>
    write.then(
      () => setNotice(""),
      (error) => setNotice(error.message),
    );
  const rename = (to: string) => {
    sessionStorage.name = to;
    setName(to);
  };
  const addRoom = (form: FormData) => {
    const wanted = String(form.get("name")).trim().toLowerCase();
    location.hash = encodeURIComponent(wanted);
    if (wanted && rooms.every((one) => one.name !== wanted)) attempt(create({ name: wanted }));
  };
  return (
    <>
      <aside>
        <h1>Chat</h1>
        <nav aria-label="Rooms">
          {rooms.map((one) => (
            <a key={keyOf(one)} href={`#${encodeURIComponent(one.name)}`} aria-current={one === room && "page"}>
              {one.name}
            </a>
          ))}
        </nav>
        <form className="new-room" action={addRoom}>
          <input name="name" aria-label="New room" placeholder="New room" maxLength={40} autoComplete="off" />
          <button type="submit" aria-label="Make the room">
            +
          </button>
        </form>
        <div className="me">
          <Avatar name={name} />
          <input aria-label="Your name" value={name} maxLength={30} onChange={({ target }) => rename(target.value)} />
        </div>
      </aside>
      <main>
        <header>
          <h2>{room?.name}</h2>
          <p>{room?.topic}</p>
          <Badge />
        </header>
        {room?.id && <Conversation key={room.id} room={room} author={name} attempt={attempt} />}
        <output className="notice">{notice}</output>
      </main>
    </>
  );
}

const root = createRoot(document.body);
const draw = () =>
  root.render(
    <RocketProvider client={client}>
      <App />
    </RocketProvider>,
  );
addEventListener("hashchange", draw);
draw();
