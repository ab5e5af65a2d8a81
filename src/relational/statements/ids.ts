const columnOf = {
  session: 'id',
  transcript: 'id',
  entry: 'n',
  turn: 'position',
  inbound: 'id',
  delivery: 'id',
  summary: 'id',
}

/** A number that no row of the table has or ever had. */
export const nextOf = (table: keyof typeof columnOf): string => `
  (SELECT max(c.floor, coalesce((SELECT max(${columnOf[table]}) FROM ${table}), 0)) + 1
   FROM counter c WHERE c.name = '${table}')`

/** Before rows are deleted. */
export const keepFloors = `
  UPDATE counter SET floor = max(floor, coalesce(CASE name
    ${Object.entries(columnOf)
      .map(([table, column]) => `WHEN '${table}' THEN (SELECT max(${column}) FROM ${table})`)
      .join('\n    ')}
    END, 0))`
