/** Until src/users is gone. */
export interface UserValues {
  isUsable(user: string): boolean
  read(user: string): Promise<UserValue | undefined>
  replace(user: string, before: UserValue | undefined, text: string, keepFor: number): Promise<Replaced>
}
export interface UserValue {
  readonly text: string
  readonly version: Buffer
}
export type Replaced =
  | { readonly done: true; readonly value: UserValue }
  | { readonly done: false; readonly now: UserValue | undefined }
