/** What is being asked again and again now. */
const running = new Set<{ now(): Promise<void>; readonly trouble: { kind: string } | null }>()

type Asked = typeof running extends Set<infer One> ? One : never

export const begin = (one: Asked) => void running.add(one)
export const end = (one: Asked) => void running.delete(one)
export const runs = (one: Asked) => running.has(one)

/** Asks all of it at once, as after an outage; whether all of it was answered. */
export async function askAll(): Promise<boolean> {
  const asked = [...running]
  await Promise.all(asked.map((one) => one.now()))
  return asked.every((one) => one.trouble?.kind !== 'away')
}
