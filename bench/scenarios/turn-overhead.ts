import type { Bench, Scenario } from '../bench.ts'
import { interleave, type Measured, type Round, type Subject, timeEach } from '../measure.ts'
import { findOpenClaw, startOpenClawGateway } from '../peers/openclaw.ts'
import { atLeast, atMost, type Section } from '../report.ts'
import { closeConnections, post } from '../turns/client.ts'
import { startHoldfast, startModel, startProxy } from '../turns/processes.ts'

const names = {
  model: 'the model itself',
  proxy: 'pass-through proxy',
  holdfast: 'holdfast serve, a new session each round',
  long: 'holdfast serve, one session throughout',
  openClaw: 'OpenClaw gateway',
}

export const turnOverhead: Scenario = {
  name: 'turn-overhead',
  question: 'What does the gateway add to the time of the model?',
  run,
}

async function run(bench: Bench): Promise<Section[]> {
  const running: { stop(): Promise<void> }[] = []
  try {
    const model = await startModel()
    running.push(model)
    const proxy = await startProxy(model.port)
    running.push(proxy)
    const holdfast = await startHoldfast(bench.directory('turn-overhead'), model.port)
    running.push(holdfast)
    const count = bench.quick ? 60 : 200
    const inSession = (name: string) => ({ 'x-session-key': `agent:main:chat:direct:${name}` })
    let sessions = 0
    const inNewSession = () => {
      sessions += 1
      return inSession(String(sessions))
    }
    const subjects: Subject[] = [
      { name: names.model, round: () => turns(model.port, count, {}) },
      { name: names.proxy, round: () => turns(proxy.port, count, {}) },
      { name: names.holdfast, round: () => turns(holdfast.port, count, inNewSession()) },
      { name: names.long, round: () => turns(holdfast.port, count, inSession('throughout')) },
    ]
    const installed = findOpenClaw(bench.peersFolder)
    if (installed !== null) {
      bench.progress('turn-overhead: starting OpenClaw')
      const modelUrl = `http://127.0.0.1:${model.port}/v1`
      const home = bench.directory('openclaw-home')
      const openClaw = await startOpenClawGateway({ program: installed.program, home, modelUrl })
      running.push(openClaw)
      const round = (size: number) => turns(openClaw.port, size, openClaw.headers)
      bench.progress('turn-overhead: warming OpenClaw up')
      await round(5)
      subjects.push({ name: names.openClaw, round: () => round(bench.quick ? 5 : 15) })
    }
    for (const subject of subjects.slice(0, 4)) await subject.round()
    const measured = await interleave(subjects, bench.quick ? 3 : 5)
    return [sectionOf(measured, installed?.version ?? null)]
  } finally {
    closeConnections()
    for (const each of running.toReversed()) await each.stop()
  }
}

function sectionOf(measured: Map<string, Measured>, openClawVersion: string | null): Section {
  const model = measured.get(names.model) as Measured
  const over = (name: string) => (measured.get(name) as Measured).medianMs - model.medianMs
  const holdfast = over(names.holdfast)
  return {
    title: 'turn overhead: HTTP in to HTTP out through a real process, an instant model, one client',
    rows: [...measured].map(([name, found]) => ({
      name,
      role: name.startsWith('holdfast') ? 'holdfast' : name === names.model ? 'baseline' : 'peer',
      figures: [
        { label: 'median', value: found.medianMs, unit: 'ms' },
        { label: 'p99', value: found.p99Ms, unit: 'ms' },
        { label: 'median over the model', value: found.medianMs - model.medianMs, unit: 'ms' },
        { label: 'p99 over the model', value: found.p99Ms - model.medianMs, unit: 'ms' },
      ],
    })),
    targets: [
      atMost('median over the model', holdfast, 10, 'ms'),
      ...(openClawVersion === null ? [] : [atLeast('OpenClaw beside it', over(names.openClaw) / holdfast, 20)]),
    ],
    notes: [
      'holdfast: admission, claim and settlement are three commits, each on disk before the next step',
      openClawVersion === null
        ? 'OpenClaw was not measured: no --peers folder with it'
        : `OpenClaw ${openClawVersion}, in a session warmed up by five turns`,
    ],
  }
}

async function turns(port: number, count: number, headers: Record<string, string>): Promise<Round> {
  return timeEach(count, async (index) => {
    const messages = [{ role: 'user', content: `Message ${index}: how are you?` }]
    const answer = await post(port, '/v1/chat/completions', { model: modelNameFor(headers), messages }, headers)
    if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.body.slice(0, 300)}`)
  })
}

/** OpenClaw answers to its own name only. */
function modelNameFor(headers: Record<string, string>): string {
  return headers['x-openclaw-session-key'] === undefined ? 'instant' : 'openclaw'
}
