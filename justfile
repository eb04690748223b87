# The same scripts as in package.json. `just` comes with the development dependencies: npx just test

_default:
    @just --list

# Run the tests; arguments go to vitest
test *arguments:
    npm test -- {{ arguments }}

# Format the sources and sort the imports
fmt:
    npm run fmt

# Every check but the tests: format, lint, types, directions, dead code, documents
vet:
    npm run --silent vet

# Compile src/ into dist/
build:
    npm run build

# A crash and a recovery to look at
demo:
    npm run --silent demo
