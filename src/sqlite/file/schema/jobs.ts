export const jobTables = `
`
