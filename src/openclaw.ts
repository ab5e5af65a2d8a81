/** Looking after homes of OpenClaw gateways, as a library. */

export type { Home } from './openclaw/home/home.ts'
