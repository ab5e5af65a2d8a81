export const archiveTables = `
`
