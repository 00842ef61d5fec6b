/** What the server takes as a new password, in characters. */
export const SHORTEST_PASSWORD = 8
export const LONGEST_PASSWORD = 200
