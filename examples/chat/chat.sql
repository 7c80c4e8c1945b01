-- The chat's tables, and something to read at the first start.
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE rooms (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 40),
  topic TEXT NOT NULL DEFAULT ''
);
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  room_id INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE,
  author_id TEXT NOT NULL,
  author TEXT NOT NULL,
  text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
  sent_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
  edited_at TEXT
);
CREATE INDEX messages_by_room ON messages(room_id);

INSERT INTO rooms (name, topic) VALUES
  ('general', 'What everyone should know'),
  ('listening', 'What is on the turntable'),
  ('ideas', 'Half-finished thoughts are welcome');

INSERT INTO messages (room_id, author_id, author, text, sent_at) VALUES
  (1, 'mira', 'Mira', 'Good morning! The chat is on its new server.', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-52 minutes')),
  (1, 'mira', 'Mira', 'It is a SQLite file and one command.', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-51 minutes')),
  (1, 'jonas', 'Jonas', 'And what happens on the train, in the tunnel?', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-44 minutes')),
  (1, 'mira', 'Mira', 'You go on writing. What you wrote is kept, even if you reload, and goes out once when you are back.', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-43 minutes')),
  (1, 'jonas', 'Jonas', 'Once? Not twice, like the other one?', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-41 minutes')),
  (1, 'noor', 'Noor', 'Once. I pulled the plug of the server while sending, to be sure.', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-12 minutes')),
  (2, 'noor', 'Noor', 'Low, “I Could Live in Hope”. It has been raining all day, so what else.', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-3 hours')),
  (2, 'jonas', 'Jonas', 'Side B first, always.', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-2 hours'));
COMMIT;
