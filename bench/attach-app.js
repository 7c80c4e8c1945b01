import express from "express";
import { listedSong, song } from "./payload.js";

/**
 * The application of the bench: an Express app as anybody would write it. It knows nothing of Rocket.
 *
 * @param {object} options
 * @param {number} options.rows - how many songs there are
 * @param {boolean} [options.areListed] - whether they are small, as in a list, or have all that a record may have
 * @param {(record: object) => void} [options.written] - what a realtime app written by hand does after a write
 */
export function createApp({ rows, areListed, written }) {
  const whole = (id) => ({ ...song(id), id, url: `/songs/${id}` });
  const songs = Array.from({ length: rows }, (_, id) => (areListed ? listedSong(id) : whole(id)));
  const app = express();
  const counts = { gets: 0 };
  app.use(express.json());
  app.get("/songs", (_request, response) => {
    counts.gets += 1;
    response.json(songs);
  });
  app.get("/mine", (request, response) => {
    counts.gets += 1;
    response.set("Cache-Control", "private").json({ viewer: request.headers.cookie, songs });
  });
  app.get("/songs/:id", (request, response) => response.json(songs[Number(request.params.id)]));
  for (const path of ["/songs/:id", "/mine/:id"]) {
    app.post(path, (request, response) => {
      const record = songs[Number(request.params.id)];
      record.plays = request.body.plays;
      written?.(record);
      response.json(record);
    });
  }
  /** What Express does for a GET of the list once it is routed, and before anything is sent. */
  const render = () => app.get("etag fn")(Buffer.from(JSON.stringify(songs)));
  return { app, counts, render };
}
