/** A typed emitter: names and what each carries. A handler that throws does not keep the others from hearing. */
export class Events<M extends object> {
  #handlers = new Map<keyof M, Set<(value: never) => void>>()

  /** Returns the function that stops listening. */
  on<K extends keyof M>(name: K, handler: (value: M[K]) => void): () => void {
    const set = this.#handlers.get(name) ?? new Set()
    this.#handlers.set(name, set)
    set.add(handler as (value: never) => void)
    return () => set.delete(handler as (value: never) => void)
  }

  emit<K extends keyof M>(name: K, value: M[K]): void {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        ;(handler as (value: M[K]) => void)(value)
      } catch (error) {
        reportError(error)
      }
    }
  }
}
