import type { Api } from './api.ts'
import { type Gateway, type GatewayOptions, makePlace, type Place, startGateway } from './gateway.ts'
import { type Behaviour, echo, type ModelServer, startModel } from './model.ts'

/** A gateway with its model and its place, gone together. */
export interface Stand extends AsyncDisposable {
  readonly place: Place
  readonly model: ModelServer
  readonly gateway: Gateway
  readonly api: Api
}

export async function makeStand(
  config: GatewayOptions['config'] = {},
  turns: Behaviour = echo,
  under: (place: Place) => string[] = () => [],
): Promise<Stand> {
  const place = await makePlace()
  const model = await startModel(turns)
  const gateway = await startGateway({ place, model, config, under: under(place) })
  return {
    place,
    model,
    gateway,
    api: gateway.api,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await model[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}
