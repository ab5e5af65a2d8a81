export const recoveryTables = `
`
