/** The answers of /api that the wall reads. Written from the API's OpenAPI (schema.d.ts, `python -m deploy.api_types`); what is
 *  narrower here is said: JSON that the OpenAPI leaves open. */
import type { components } from './schema'

type Schemas = components['schemas']

/** Texts by language. */
export type Labels = Readonly<Record<string, string>>

/** RFC 7946. */
export interface Point {
  type: string
  coordinates: [longitude: number, latitude: number]
}

export type Me = Schemas['Me']
export type Thing = Omit<Schemas['Thing'], 'location'> & { location: Point | null }
export type Datastream = Schemas['Datastream']
export type ThingWithDatastreams = Thing & Pick<Schemas['ThingWithDatastreams'], 'streams'>
export type Reading = Schemas['Reading']
export type Bucket = Schemas['Bucket']
export type Series = Pick<Schemas['Series'], 'datastream' | 'items' | 'used' | 'bucket_seconds' | 'thinned' | 'buckets'>
export type Pending = Schemas['Pending']
export type DeadLetter = Schemas['DeadLetter']
export type Status = Omit<Schemas['Status'], 'gateway'> & { gateway: Record<string, number> }
export type ProcessState = Status['processes'][number]
export type Overview = Schemas['OverviewOut']
export type PropertySummary = Overview['properties'][number]
export type Trend = Schemas['Trend']
export type Headline = Schemas['HeadlineOut']
