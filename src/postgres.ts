export { postgresStore } from './postgres/open.ts'
