/** How deep arrays and objects of a value may stand in each other. SQLite's own functions for JSON stop at 1,000. */
export const maxNesting = 500;
