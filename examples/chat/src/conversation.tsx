import { type KeyboardEvent, useState } from "react";
import { useCollection } from "rocket-rest/react";
import { Avatar, Button } from "./parts.tsx";

type Person = { author_id: string; author: string };
type Message = Person & { id: number; room_id: number; text: string; sent_at: string; edited_at: string | null };
type Props = { room: { id: number; name: string }; author: string; attempt(write: Promise<unknown>): void };

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });

function focusEnd(area: HTMLTextAreaElement | null) {
  area?.focus();
  area?.setSelectionRange(-1, -1);
}

/** The messages of a room, and where to write one. */
export function Conversation({ room, author, attempt }: Props) {
  const messages = useCollection<Message>("/messages", { where: { room_id: room.id }, order: "id" });
  const { rows, status, create, update, destroy, keyOf, isPending } = messages;
  const [editedKey, edit] = useState("");
  const edited = rows.find((row) => keyOf(row) === editedKey);
  const send = (form: FormData) => {
    const text = String(form.get("text")).trim();
    edit("");
    if (text && edited) attempt(update(edited, { text, edited_at: new Date().toISOString() }));
    else if (text) attempt(create({ room_id: room.id, author_id: sessionStorage.id, author, text }));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Escape") edit("");
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  };
  const draw = (row: Message, at: number) => {
    const isMine = row.author_id === sessionStorage.id;
    const isNext = rows[at - 1]?.author_id === row.author_id;
    const classes = [isMine && "mine", isNext && "next", isPending(row) && "pending", row === edited && "edited"];
    return (
      <li key={keyOf(row)} className={classes.filter(Boolean).join(" ")}>
        <Avatar name={row.author} />
        <b>{row.author}</b>
        <p>{row.text}</p>
        <small>
          {isMine && <Button label="Edit" act={() => edit(keyOf(row))} />}
          {isMine && <Button label="Delete" act={() => attempt(destroy(row))} />}
          {row.edited_at && "edited "}
          {isPending(row) ? "waiting" : clock.format(new Date(row.sent_at))}
        </small>
      </li>
    );
  };
  const empty =
    status.problem?.detail ?? (/live|polling/.test(status.state) && "Nothing here yet. Say the first word.");
  const label = edited ? "Change your message" : `Message to ${room.name}`;
  return (
    <>
      <div className="scroll">
        {rows.length > 0 ? <ol aria-label="Messages">{rows.map(draw)}</ol> : empty && <p className="empty">{empty}</p>}
      </div>
      <form key={editedKey} className="composer" action={send}>
        <textarea
          name="text"
          aria-label={label}
          placeholder={label}
          defaultValue={edited?.text}
          onKeyDown={onKeyDown}
          ref={edited && focusEnd}
        />
        <button type="submit">{edited ? "Save" : "Send"}</button>
      </form>
    </>
  );
}
