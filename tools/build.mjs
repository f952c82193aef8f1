// Runs before npm start and the long runs: a fresh clone has neither packages nor dist/.
import { ensureBuilt, ensurePackages } from './prepare.mjs'

ensurePackages()
ensureBuilt()
