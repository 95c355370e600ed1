/** Which Datastreams go on one axis. Pure. */
import type { Reading } from '../../wall/data/types'

/** Those of the unit of the first: others would stand on an axis that is not theirs. */
export function alike(readings: readonly Reading[]): Reading[] {
  return readings.filter((one) => one.unit === readings[0]!.unit)
}
