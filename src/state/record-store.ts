export { StoreError } from './store-engine.ts'
