// Serves the Kafka protocol for the tests: kfake, franz-go's cluster in memory. A stand-in for a
// broker, which no package manager brings: the wire protocol is real, and nothing is stored.
//
//	kafka 9092 topic topic...
//
// Each topic has two partitions.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

func main() {
	if err := serve(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(port string, topics []string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	cluster, err := kfake.NewCluster(
		kfake.Ports(number),
		kfake.SeedTopics(2, topics...),
		// Clients older than Kafka 4 ask for versions of the protocol that it dropped.
		kfake.MaxVersions(kversion.V3_0_0()),
	)
	if err != nil {
		return err
	}
	defer cluster.Close()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	<-stopped
	return nil
}
