// What bench/web.py puts into every page before its own scripts: counts of frames, drawings and shifts.
;(() => {
  const bench = (window.bench = { clears: 0, cleared: 0, shift: 0, shifted: [] })
  performance.setResourceTimingBufferSize(10_000)
  const clear = CanvasRenderingContext2D.prototype.clearRect
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    bench.clears += 1
    bench.cleared = performance.now()
    return clear.apply(this, box)
  }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue
      bench.shift += entry.value
      for (const { node } of entry.sources) {
        const name = node?.className?.baseVal ?? node?.className ?? ''
        bench.shifted.push(`${entry.value.toFixed(4)} ${node?.nodeName ?? '?'}.${name}`)
        bench.shifted.sort().reverse()
      }
    }
  }).observe({ type: 'layout-shift', buffered: true })

  const frame = () => new Promise(requestAnimationFrame)

  /** Frames a second for so many ms, the length of the longest of 100 frames, and what was drawn and came meanwhile. */
  bench.frames = async (ms) => {
    const before = { clears: bench.clears, updates: window.measured?.updates ?? 0, shown: window.shown?.count ?? 0 }
    const start = await frame()
    const lengths = []
    let last = start
    while (last - start < ms) {
      const now = await frame()
      lengths.push(now - last)
      last = now
    }
    lengths.sort((a, b) => a - b)
    const seconds = (last - start) / 1000
    return {
      fps: lengths.length / seconds,
      p99: lengths[Math.floor(lengths.length * 0.99)],
      clears: (bench.clears - before.clears) / seconds,
      updates: ((window.measured?.updates ?? 0) - before.updates) / seconds,
      shown: ((window.shown?.count ?? 0) - before.shown) / seconds,
    }
  }

  /** ms from a click on this element until a chart is drawn from a series that was asked for after it. */
  bench.opened = async (element) => {
    const start = performance.now()
    element.click()
    for (;;) {
      const now = await frame()
      const answers = performance.getEntriesByType('resource').filter((one) => one.name.includes('/series?') && one.startTime >= start)
      const answer = answers.at(-1)
      if (answer?.responseEnd && bench.cleared > answer.responseEnd) return { ms: Math.max(now, bench.cleared) - start, answer: answer.responseEnd - start }
      if (now - start > 20_000) throw new Error('not drawn within 20 s')
    }
  }

  const choice = '[role=radiogroup], [role=listbox], [role=menu], [role=tablist], [role=grid], [role=toolbar]'
  /** Everything that a mouse could use, and whether it is the same thing to the keyboard as another of its group. */
  bench.controls = () =>
    [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=radio], [role=checkbox], [role=slider]')]
      .filter((one) => !one.disabled && one.checkVisibility({ visibilityProperty: true, opacityProperty: false }) && !one.closest('[inert], [aria-hidden=true]'))
  bench.walked = new Set()
  /** Where the focus is; false once it has left the page or has been there already. */
  bench.step = () => {
    const at = document.activeElement
    if (!at || at === document.body) return bench.walked.size === 0
    if (bench.walked.has(at)) return false
    bench.walked.add(at)
    const style = getComputedStyle(at)
    if (style.outlineStyle === 'none' && style.boxShadow === 'none') (bench.unseen ??= []).push(bench.named(at))
    return true
  }
  bench.named = (one) => `${one.nodeName.toLowerCase()} "${(one.ariaLabel ?? one.textContent ?? '').trim().slice(0, 40)}"`
  bench.unreached = () =>
    bench.controls().filter((one) => {
      if (bench.walked.has(one)) return false
      const group = one.closest(choice)
      return !group || ![...bench.walked].some((other) => group.contains(other)) // the arrow keys go on from there
    }).map(bench.named)
})()
