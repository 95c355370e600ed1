/** The present, once a second, for every age and clock on a page: one timer instead of one for each. */
class Now {
  ms = $state(Date.now())

  constructor() {
    setInterval(() => {
      this.ms = Date.now()
    }, 1000)
  }
}

export const now = new Now()
