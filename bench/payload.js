/** The song that every change writes, as JSON about 200 bytes. */
export function song(plays) {
  return {
    id: 4711,
    url: "/songs/4711",
    title: "Everything in Its Right Place",
    artist: "Radiohead",
    album_id: 391,
    track: 1,
    seconds: 251,
    genre: "Art rock",
    plays: 1_000_000 + plays,
    updated_at: "2026-11-02T09:14:07Z",
  };
}

/** A row of a list of songs, as those of `examples/music` have it: as JSON about 90 bytes. */
export function listedSong(id) {
  return { id, album_id: 391, track: 1, title: "Everything in Its Right Place", plays: 1_000_000 };
}
