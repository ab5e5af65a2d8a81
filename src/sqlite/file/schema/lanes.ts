export const laneTables = `
`
