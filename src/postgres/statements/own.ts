/** A shared statement, and what PostgreSQL is told in its place: one text, several one after the other, or nothing. */
export type Words = readonly (readonly [shared: string, own: string | readonly string[]])[]
